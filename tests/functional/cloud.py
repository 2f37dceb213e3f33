# SPDX-License-Identifier: Apache-2.0

"""A real nova in one process: api, conductor, scheduler, computes, placement.

nova's own functional fixtures carry it: the database is SQLite, the message
bus is in memory, and Keystone, Glance, Cinder, Neutron and the hypervisors
(driver.py) are fakes. All of nova is real, and so is its nova.conf. Tests
subclass :class:`Cloud`, or :class:`SharedCloud`; scripts use :func:`running`.
What one does with it is in operations.py, computes.py and resources.py; what
the filters were asked is in recorder.py.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import typing as ty
from unittest import mock
import warnings

import fixtures
from nova import config
from nova import test
import nova.conf
from nova.tests import fixtures as nova_fixtures
from nova.tests.functional import fixtures as func_fixtures
from nova.tests.functional import integrated_helpers
from sqlalchemy import exc as sa_exc
import testtools

from tests.functional import driver
from tests.functional.computes import Computes
from tests.functional.database import KeptConnections
from tests.functional.hosts import HostProfile
from tests.functional.operations import Operations
from tests.functional.recorder import Asked
from tests.functional.recorder import Recorder
from tests.functional.resources import Resources
from tests.functional.threads import SleepingThreads
from tests.functional.volumes import Volumes

CONF = nova.conf.CONF

#: What the harness itself needs of nova, in a file of its own, so that
#: nova.conf holds the operator's part alone.
HARNESS_CONF = """
[DEFAULT]
compute_driver = {driver}
state_path = {folder}
# Services are up until a test stops them; nothing else is to happen unasked.
report_interval = 0
service_down_time = 86400
# The defaults differ between novas.
cpu_allocation_ratio = 4.0
ram_allocation_ratio = 1.0
disk_allocation_ratio = 1.0
[api]
response_validation = ignore
[wsgi]
api_paste_config = {prefix}/etc/nova/api-paste.ini
[quota]
instances = -1
cores = -1
ram = -1
[notifications]
notification_format = unversioned
[oslo_messaging_notifications]
driver = noop
"""


def _policy_fixture() -> ty.Any:
    try:
        return nova_fixtures.RealPolicyFixture()
    except AttributeError:  # nova 22
        from nova.tests.unit import policy_fixture

        return policy_fixture.RealPolicyFixture()


class Cloud(
    Operations,
    Computes,
    Resources,
    integrated_helpers.PlacementInstanceHelperMixin,
    test.TestCase,
):
    """A cloud with no computes yet: see :meth:`start_hosts`."""

    #: The operator's part of nova.conf.
    NOVA_CONF = """
[filter_scheduler]
available_filters = nova.scheduler.filters.all_filters
available_filters = nova_xen_sched.filters.XenHostFilter
enabled_filters = ComputeFilter,ComputeCapabilitiesFilter,XenHostFilter,\
ServerGroupAntiAffinityFilter,ServerGroupAffinityFilter
"""
    #: Called with each Asked before the filters run, in nova's own thread:
    #: what it raises, the scheduler raises.
    on_asked: ty.Optional[ty.Callable[[Asked], None]] = None
    REQUIRES_LOCKING = True
    __test__ = False
    # The testtools of nova 22 has none, and pytest keeps cases in a set.
    __hash__ = object.__hash__  # type: ignore[assignment]

    def __init_subclass__(cls, **kwargs: ty.Any) -> None:
        super().__init_subclass__(**kwargs)
        # Else pytest runs the runTest of every class that has no tests.
        cls.__test__ = any(name.startswith('test_') for name in dir(cls))

    def setUp(self) -> None:
        self.useFixture(KeptConnections())
        self.useFixture(SleepingThreads())
        self._folder = self.useFixture(fixtures.TempDir()).path
        self.nova_conf = os.path.join(self._folder, 'nova.conf')
        harness_conf = os.path.join(self._folder, 'harness.conf')
        with open(harness_conf, 'w') as f:
            f.write(
                HARNESS_CONF.format(
                    driver=driver.COMPUTE_DRIVER,
                    folder=self._folder,
                    prefix=sys.prefix,
                )
            )
        with open(self.nova_conf, 'w') as f:
            f.write(self.NOVA_CONF)
        parse_args = config.parse_args

        def parse_ours(argv: ty.List[str], **kwargs: ty.Any) -> None:
            kwargs['default_config_files'] = [harness_conf, self.nova_conf]
            parse_args(argv, **kwargs)

        # nova's ConfFixture parses an empty list of files.
        with mock.patch.object(config, 'parse_args', parse_ours):
            super().setUp()
        self._log_less()
        # nova turns SQLAlchemy's deprecations into errors; newer releases of
        # SQLAlchemy have some which nova was never tested with.
        if hasattr(sa_exc, 'SADeprecationWarning'):
            warnings.simplefilter('ignore', sa_exc.SADeprecationWarning)

        self.asked: ty.List[Asked] = []
        self.useFixture(Recorder(self._note))
        self.useFixture(_policy_fixture())
        self.useFixture(nova_fixtures.NeutronFixture(self))
        self.glance = self.useFixture(nova_fixtures.GlanceFixture(self))
        self.useFixture(nova_fixtures.CinderFixture(self))
        self._volumes = self.useFixture(Volumes(self.glance))
        placement = self.useFixture(func_fixtures.PlacementFixture())
        self.placement = placement.api
        self.useFixture(nova_fixtures.AllServicesCurrent())
        self.api_fixture = self.useFixture(
            nova_fixtures.OSAPIFixture(api_version='v2.1')
        )
        self.api = self.admin_api = self.api_fixture.admin_api
        self.api.microversion = 'latest'
        self.conductor = self._start('conductor')
        self.scheduler = self._start('scheduler')

    @staticmethod
    def _log_less() -> None:
        """Have only our own DEBUG messages formatted, and not nova's."""
        if logging.getLogger().handlers[0].level > logging.DEBUG:
            logging.getLogger('nova_xen_sched').setLevel(logging.DEBUG)
            logging.getLogger().setLevel(logging.INFO)

    def _clear_attrs(self) -> None:
        # nova's deletes the test method too, of which pytest has need yet.
        pass

    def runTest(self) -> None:  # noqa: N802
        """Stand in for a test, for running() and for pytest's look at us."""

    def _start(self, name: str, **kwargs: ty.Any) -> ty.Any:
        service = self.start_service(name, **kwargs)
        self.addCleanup(service.stop)
        return service

    def _note(
        self, candidates: ty.List[ty.Any], spec: ty.Any, index: int
    ) -> Asked:
        asked = Asked.of(self._during, candidates, spec, index)
        self.asked.append(asked)
        if self.on_asked is not None:
            self.on_asked(asked)
        return asked

    @property
    def log(self) -> str:
        """All that nova logged, from INFO on (OS_DEBUG=1: from DEBUG on)."""
        return self.stdlog.logger.output

    def rewrite_conf(self, text: str) -> None:
        """Write nova.conf anew and do what nova-scheduler does on SIGHUP."""
        with open(self.nova_conf, 'w') as f:
            f.write(text)
        CONF.mutate_config_files()
        self.scheduler.reset()

    @property
    def host_manager(self) -> ty.Any:
        """The scheduler's."""
        manager = self.scheduler.manager
        return getattr(manager, 'driver', manager).host_manager


@contextlib.contextmanager
def running(
    cloud_class: type = Cloud, profiles: ty.Iterable[HostProfile] = ()
) -> ty.Iterator[ty.Any]:
    """A cloud outside of any test; cleaned up whatever happens."""
    cloud = cloud_class()
    root = logging.getLogger()
    with contextlib.ExitStack() as undo:
        # Importing nova.test sets up logging to stderr, and an excepthook
        # that logs: what is logged is in cloud.log, and a script's own
        # errors are better off as usual.
        undo.callback(setattr, root, 'handlers', root.handlers)
        root.handlers = [logging.NullHandler()]
        sys.excepthook = sys.__excepthook__
        undo.callback(_clean_up, cloud)
        cloud.setUp()
        cloud.start_hosts(profiles)
        yield cloud


class SharedCloud(Cloud):
    """Tests of one cloud, each of which leaves it as it was.

    Tests that only read need no cloud of their own, of which the start takes
    longer than they do.
    """

    #: Is started once for the class.
    CLOUD: type = Cloud

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls._running = contextlib.ExitStack()
        cls._cloud = cls._running.enter_context(running(cls.CLOUD))

    @classmethod
    def tearDownClass(cls) -> None:
        cls._running.close()
        super().tearDownClass()

    def setUp(self) -> None:
        testtools.TestCase.setUp(self)
        for name, value in vars(self._cloud).items():
            vars(self).setdefault(name, value)
        self.asked.clear()
        self._logged = len(super().log)

    def addCleanup(  # noqa: N802
        self, function: ty.Any, *args: ty.Any, **kwargs: ty.Any
    ) -> None:
        # oslotest's adds one that ends every mock, the cloud's among them.
        testtools.TestCase.addCleanup(self, function, *args, **kwargs)

    def _doing(self, what: str) -> ty.Any:
        return self._cloud._doing(what)

    def flags(self, group: ty.Optional[str] = None, **options: ty.Any) -> None:
        for name, value in options.items():
            CONF.set_override(name, value, group)
            self.addCleanup(CONF.clear_override, name, group)

    @property
    def log(self) -> str:
        return super().log[self._logged :]


def _clean_up(case: ty.Any) -> None:
    """Run a test case's cleanups, as testtools does: each, whatever fails."""
    with contextlib.ExitStack() as cleanups:
        for function, args, kwargs in case._cleanups:
            cleanups.callback(function, *args, **kwargs)
        case._cleanups = []
