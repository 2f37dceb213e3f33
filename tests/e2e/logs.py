# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""What must not stand in any log."""

from __future__ import annotations

import collections
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.e2e.controllers import Controllers

#: oslo.log repeats the line's beginning before each line of a traceback.
_TRACEBACK = 'Traceback (most recent call last)'
_OURS = 'nova_xen_sched'
_SURPRISE = 'Unexpected error in nova-xen-sched'


def tracebacks(log: str) -> list[str]:
    """Those with a frame of the plugin, each in one piece."""
    found = []
    lines = log.split('\n')
    for start, line in enumerate(lines):
        at = line.find(_TRACEBACK)
        if at < 0:
            continue
        piece = [line[at:]]
        for following in lines[start + 1 :]:
            text = following[at:]
            if following[:at] and not text:
                break
            piece.append(text)
            # The last line, which names the exception, isn't indented.
            if text and not text.startswith((' ', '^')):
                break
        whole = '\n'.join(piece)
        if re.search(r'File "[^"]*/%s/' % _OURS, whole):
            found.append(whole)
    return found


def judge(cloud: Controllers) -> None:
    """No traceback of the plugin, and nothing that surprised it."""
    with cloud.report.step('look through all logs') as step:
        logs = cloud.logs()
        lines = sum(text.count('\n') for text in logs.values())
        bad = {
            name: tracebacks(text) + re.findall('.*%s.*' % _SURPRISE, text)
            for name, text in logs.items()
        }
        found = [each for pieces in bad.values() for each in pieces]
        step.says(
            '%d logs, %d lines; tracebacks of the plugin: %d'
            % (len(logs), lines, len(found)),
            *[each for piece in found for each in piece.split('\n')],
        )
        step.check(not found, 'there must be none')
    with cloud.report.step('look for what the plugin warned of') as step:
        warned = collections.Counter(
            re.findall(
                r'(?:WARNING|ERROR|CRITICAL) nova_xen_sched\S* \[.*?\] (.*)',
                cloud.nova.log(),
            )
        )
        step.says(
            '%d lines' % sum(warned.values()),
            *('%d x %s' % (count, line) for line, count in warned.items()),
        )
