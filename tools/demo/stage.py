# SPDX-License-Identifier: Apache-2.0

"""Requests, and what the scheduler was asked and said about each."""

from __future__ import annotations

import dataclasses
import typing as ty

from nova.scheduler.filters import image_props_filter

from tests.functional import driver
from tools import printing

#: Refusals because the guest would not run there at all; others are a site's
#: choice, or a matter of migrating it later.
CANNOT_RUN = (
    'architecture',
    'hypervisor_type',
    'vm_mode',
    'guest_type',
    'pv_by_default',
)


@dataclasses.dataclass
class Scene:
    """One request, what came of it, and what stock nova would have done."""

    title: str
    outcome: str
    #: (code, sentence) -> hosts refused for it
    refused: dict[tuple[str, str], list[str]]
    #: Refused hosts that ImagePropertiesFilter lets through.
    stock_lets_through: list[str]
    stock_chooses: str | None

    def show(self, number: int) -> None:
        stock = self.stock_chooses or 'no host'
        code = self.code_against(stock)
        if code not in CANNOT_RUN and code:
            stock += ' (%s)' % code
        elif code:
            stock += " (can't run it)"
        print(
            '%2d  %-54s %s  %s'
            % (
                number,
                self.title,
                printing.coloured(self.outcome.ljust(11), 'good'),
                printing.coloured(
                    'stock nova: ' + stock, 'bad' if code else 'plain'
                ),
            )
        )
        for (code, sentence), names in self.refused.items():
            lets = [n for n in names if n in self.stock_lets_through]
            printing.wrapped(', '.join(names), ' ' * 6, ' ' * 6)
            if lets:
                note = '' if lets == names else ' ' + ', '.join(lets)
                print(
                    printing.coloured(
                        '        (ImagePropertiesFilter lets%s through)'
                        % (note or ' them' if len(names) > 1 else ' it'),
                        'bad',
                    )
                )
            printing.wrapped('%s: %s' % (code, sentence), ' ' * 8, ' ' * 8)
        print()

    def code_against(self, host: str | None) -> str | None:
        """Why a host should not have been chosen; None if nothing is."""
        for (code, _), names in self.refused.items():
            if host in names:
                return code
        return None

    def cannot_run(self, host: str | None) -> bool:
        code = self.code_against(host)
        return code in CANNOT_RUN


class Stage:
    """The requests, one after the other, on a running cloud."""

    def __init__(self, cloud: ty.Any, progress: printing.Progress) -> None:
        """:param progress: is told of each request before it is made."""
        self.cloud = cloud
        self.progress = progress
        self.scenes: list[Scene] = []
        self._busy: set[str] = set()
        self._homes: dict[str, str] = {}
        self._stock = image_props_filter.ImagePropertiesFilter()

    @property
    def _filter(self) -> ty.Any:
        return next(
            f
            for f in self.cloud.host_manager.enabled_filters
            if type(f).__name__ == 'XenHostFilter'
        )

    def request(self, title: str, act: ty.Callable[[], ty.Any]) -> ty.Any:
        """Do a request, and note what the scheduler was asked and said."""
        self.progress(title)
        # As each nova-compute does every minute; it ends the last request's
        # I/O in the eyes of nova's weighers.
        for name in self._busy:
            self.cloud.change_host(driver.PROFILES[name])
        scene: Scene | None = None

        def asking(asked: ty.Any) -> None:
            nonlocal scene
            scene = scene or self._scene(title, asked)

        self.cloud.on_asked = asking
        try:
            server = act()
        finally:
            self.cloud.on_asked = None
        assert scene is not None, 'the scheduler was not asked'
        scene.outcome = self.outcome(server)
        # Where it is, and where it was.
        self._busy = {
            name
            for name in (scene.outcome, self._homes.get(server['id']))
            if name in driver.PROFILES
        }
        self._homes[server['id']] = scene.outcome
        self.scenes.append(scene)
        self.progress.done()
        scene.show(len(self.scenes))
        return server

    def outcome(self, server: ty.Any) -> str:
        if self.cloud.asked[-1].names_out == []:
            return 'no host'
        return str(self.cloud.host_of(server))

    def _scene(self, title: str, asked: ty.Any) -> Scene:
        """What both filters make of the candidates, before any is taken."""
        refused: dict[tuple[str, str], list[str]] = {}
        lets = []
        passing = []
        states = sorted(asked.candidates, key=lambda s: s.host)
        verdicts = self._filter.verdicts(states, asked.spec, every=True)
        for state, verdict in zip(states, verdicts):
            passes = self._stock.host_passes(state, asked.spec)
            if passes:
                passing.append(state)
            found = verdict.refusals
            if found:
                key = (str(found[0].code), found[0].reason)
                refused.setdefault(key, []).append(state.host)
                if passes:
                    lets.append(state.host)
        return Scene(
            title, '', refused, lets, self._stock_choice(asked, passing)
        )

    def _stock_choice(
        self, asked: ty.Any, passing: list[ty.Any]
    ) -> str | None:
        """The host that nova's own weighers put first."""
        if not passing:
            return None
        manager = self.cloud.host_manager
        weighed = manager.get_weighed_hosts(passing, asked.spec)
        return str(weighed[0].obj.host)
