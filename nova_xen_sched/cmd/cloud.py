# SPDX-License-Identifier: Apache-2.0

"""An OpenStack cloud through openstacksdk, and what can go wrong with it."""

from __future__ import annotations

import contextlib
import logging
import re
import typing as ty
from urllib import parse

from keystoneauth1 import exceptions as auth_exceptions
from openstack import config as openstack_config
from openstack import connection
from openstack import exceptions
import yaml

from nova_xen_sched import log
from nova_xen_sched.cmd.errors import Failure
from nova_xen_sched.cmd.errors import one_line

#: Placement's microversions: of traits, and of providers that have them.
_TRAITS = '1.6'
_PROVIDERS = '1.18'
#: What openstacksdk, by its release, raises of a file or only warns of.
_NOT_READ = (ValueError, yaml.YAMLError)

LOG = log.logger(__name__)

#: Seconds for one call, where the cloud's configuration says nothing.
TIMEOUT = 60


class CloudError(Failure):
    """What went wrong: one line with a full stop and nothing secret.

    :ivar status: of the HTTP answer; None if there was none.
    """

    def __init__(self, line: str, status: int | None = None) -> None:
        super().__init__(line)
        self.status = status


def connect(name: str | None = None) -> connection.Connection:
    """A connection to a cloud; nothing is asked yet.

    :param name: in clouds.yaml; None for OS_CLOUD, the OS_ variables, or the
        only one there is.
    :raises CloudError: if there is no such cloud, or its configuration is
        wrong.
    """
    with errors(), _skipped_files() as skipped:
        try:
            region = openstack_config.get_cloud_region(cloud=name)
        except yaml.YAMLError as e:
            raise CloudError(_unreadable('clouds.yaml', e)) from None
        except (exceptions.SDKException, auth_exceptions.ClientException):
            if skipped:
                raise CloudError(skipped[0]) from None
            raise
        except (TypeError, AttributeError, ValueError) as e:
            # What openstacksdk ends in where a section is not what it
            # expects; likewise not quoted.
            raise CloudError(
                "clouds.yaml can't be read: openstacksdk ends in %s. Are "
                'its sections mappings?' % type(e).__name__
            ) from None
        for line in skipped:
            LOG.warning('%s The file is left out.', line)
        if region.config.get('api_timeout') is None:
            region.config['api_timeout'] = TIMEOUT
        return connection.Connection(config=region)


def placement(
    cloud: connection.Connection,
    method: str,
    path: str,
    version: str | None = None,
    **more: ty.Any,
) -> ty.Any:
    """Placement's answer to a call.

    The oldest openstacksdk has no more than this of placement.

    :param version: the microversion.
    :raises CloudError: if placement can't be asked, or refuses.
    """
    if version:
        more['microversion'] = version
    with errors():
        answer = getattr(cloud.placement, method)(path, **more)
        exceptions.raise_from_response(answer)
    return answer


def traits(
    cloud: connection.Connection, names: ty.Iterable[str]
) -> frozenset[str]:
    """Those of some traits that placement knows.

    :raises CloudError: if placement can't be asked.
    """
    # An image's owner may have written anything.
    path = '/traits?' + parse.urlencode({'name': 'in:' + ','.join(names)})
    return frozenset(placement(cloud, 'get', path, _TRAITS).json()['traits'])


def providers(
    cloud: connection.Connection, trait: str | None = None
) -> frozenset[str]:
    """The UUIDs of the compute nodes' resource providers.

    :param trait: those that have it, or of which a part has it; placement
        must know it. None for all.
    :raises CloudError: if placement can't be asked.
    """
    path = '/resource_providers' + ('?required=' + trait if trait else '')
    found = placement(cloud, 'get', path, _PROVIDERS).json()
    return frozenset(
        each['root_provider_uuid'] for each in found['resource_providers']
    )


@contextlib.contextmanager
def _skipped_files() -> ty.Iterator[ty.List[str]]:
    """A line of each file that openstacksdk can't read, and goes on without.

    Its own warning quotes the file.
    """
    lines: list[str] = []

    def kept(record: logging.LogRecord) -> bool:
        args = record.args if isinstance(record.args, tuple) else ()
        if len(args) == 2 and isinstance(args[1], _NOT_READ):
            lines.append(_unreadable(str(args[0]), args[1]))
            return False
        return True

    logger = logging.getLogger('openstack.config')
    logger.addFilter(kept)
    try:
        yield lines
    finally:
        logger.removeFilter(kept)


def _unreadable(path: str, error: Exception) -> str:
    """A line without the error's words: they may quote a password."""
    mark = getattr(error, 'problem_mark', None)
    line = getattr(error, 'lineno', None) if mark is None else mark.line + 1
    return "%s can't be read as %s%s." % (
        path,
        'JSON' if path.endswith('json') else 'YAML',
        '' if line is None else ': see line %d' % line,
    )


@contextlib.contextmanager
def errors() -> ty.Iterator[None]:
    """Turn what openstacksdk raises into a CloudError.

    :raises CloudError: instead.
    """
    try:
        yield
    except exceptions.HttpException as e:
        raise CloudError(
            _one_line(e.details or e.message), getattr(e, 'status_code', None)
        ) from e
    except auth_exceptions.MissingRequiredOptions as e:
        raise CloudError(
            '%s Name a cloud of clouds.yaml with --os-cloud, or set the OS_ '
            'variables.' % _one_line(e)
        ) from e
    except (
        exceptions.SDKException,
        auth_exceptions.ClientException,
    ) as e:
        raise CloudError(_one_line(e)) from e


def _one_line(error: BaseException | str) -> str:
    text = one_line(error)
    # requests tells of a connection in three nested objects.
    nested = re.search(r': HTTPS?ConnectionPool\(', text)
    if nested:
        reason = re.search(r'\[Errno -?\d+\] ([^\'")]+)', text)
        text = text[: nested.start()]
        text += ': ' + reason[1] if reason else ''
    return text + '.'
