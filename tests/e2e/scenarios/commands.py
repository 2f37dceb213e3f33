# SPDX-License-Identifier: Apache-2.0

"""The plugin's commands, against the nova that runs.

They read nova-scheduler's own nova.conf, as an operator beside it does.
"""

from __future__ import annotations

import json
import re
import typing as ty

from tests.e2e.client import host_of
from tests.e2e.cloud import Cloud
from tests.e2e.hosts import XEN
from tests.e2e.processes import Failure
from tests.e2e.report import Step

TITLE = 'Commands'


def run(cloud: Cloud) -> None:
    _explain_a_boot(cloud)
    _explain_a_move(cloud)
    _host_list(cloud)
    _status(cloud)


def _explain_a_boot(cloud: Cloud) -> None:
    with cloud.report.step('explain an HVM boot, then boot it') as step:
        # Computes report what they have at any moment, and so the order may
        # change between the two; not always.
        for _ in range(3):
            hosts = answer(cloud, 'explain', '--image=hvm', '--flavor=e2e')[
                'hosts'
            ]
            host = host_of(cloud.client.boot(cloud.image['hvm']))
            first = {
                each['host']
                for each in hosts
                if each['result'] in ('first', 'tied')
            }
            refused = {
                each['host']: each['reasons'][0]['code']
                for each in hosts
                if each['reasons']
            }
            step.says(
                'explain: %s; booted on %s'
                % (' or '.join(sorted(first)), host)
            )
            step.check(host not in refused, 'explain said it is refused')
            if host in first:
                break
        step.lines.append(
            'refused: '
            + ', '.join('%s %s' % each for each in sorted(refused.items()))
        )
        step.check(host in first, 'never where explain said')
        step.check(
            refused.get('xen-pv1') == 'vm_mode'
            and refused.get('kvm-1') == 'hypervisor_type',
            'not for the reasons that hold',
        )


def _explain_a_move(cloud: Cloud) -> None:
    with cloud.report.step('explain a live migration') as step:
        server = cloud.client.boot(cloud.image['hvm'], host='xen-a1')
        hosts = answer(
            cloud,
            'explain',
            '--server=' + server['id'],
            '--operation=live-migrate',
        )['hosts']
        (old,) = (each for each in hosts if each['host'] == 'xen-old')
        codes = [reason['code'] for reason in old['reasons']]
        step.says(
            'xen-old: %s' % ', '.join(codes),
            *(reason['reason'] for reason in old['reasons']),
        )
        step.check(codes == ['libvirt_too_old'], 'for another reason')


def _host_list(cloud: Cloud) -> None:
    with cloud.report.step('host list') as step:
        hosts = {each['host']: each for each in answer(cloud, 'host', 'list')}
        old = hosts.get('xen-old', {})
        step.says(
            '%d Xen hosts; xen-old: libvirt %s (%s)'
            % (
                len(hosts),
                old.get('libvirt', {}).get('value'),
                old.get('libvirt_source'),
            )
        )
        step.check(
            set(hosts) == XEN
            and old.get('libvirt', {}).get('value') == '1.2.5'
            and old.get('libvirt_source') == 'aggregate',
            'not what the cloud has',
        )
        _show(step, ask(cloud, 'nova-xen-sched', 'host', 'list')[1])


def _status(cloud: Cloud) -> None:
    with cloud.report.step('nova-xen-sched-status upgrade check') as step:
        code, printed = ask(
            *(cloud, 'nova-xen-sched-status', 'upgrade', 'check', '--verbose')
        )
        checks = re.findall(r'^(\w+)  (\S.*)$', printed, re.M)
        for wanted in ('Success', 'Warning', 'Failure'):
            named = [name for result, name in checks if result == wanted]
            step.says('%d x %s' % (len(named), wanted))
            if wanted != 'Success' and named:
                step.lines.append('%s: %s' % (wanted, '; '.join(named)))
        # 1 has warnings: xen-old is too old, and meant to be.
        step.check(
            checks and code in (0, 1), 'exit code %d: %s' % (code, printed)
        )


def _show(step: Step, printed: str) -> None:
    step.lines.extend(line for line in printed.split('\n') if line.strip())


def answer(cloud: Cloud, *arguments: str) -> ty.Any:
    """What one of the plugin's commands answers."""
    code, printed = ask(cloud, 'nova-xen-sched', *arguments, '-f', 'json')
    if code:
        raise Failure('exit code %d: %s' % (code, printed[-500:]))
    return json.loads(printed)


def ask(cloud: Cloud, program: str, *arguments: str) -> tuple[int, str]:
    """The exit code and the output of one of the plugin's programs."""
    command = [
        cloud.settings.nova_program(program),
        '--config-file=' + cloud.nova.scheduler_conf,
        *arguments,
    ]
    code, printed, complaints = cloud.settings.processes.ask(
        command, cloud.identity.client_env()
    )
    if code and not printed:
        raise Failure(
            '%s %s: exit code %d: %s'
            % (program, ' '.join(arguments), code, complaints[-500:])
        )
    return code, printed
