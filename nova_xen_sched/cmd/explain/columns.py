# SPDX-License-Identifier: Apache-2.0

"""The columns of explain. Nothing of nova is needed to know them."""

from __future__ import annotations

#: What each column has. Stable: columns are added, never renamed.
COLUMNS = {
    'rank': 'place by weight from 1, equal weights have equal ranks; none if '
    'refused',
    'host': 'its name',
    'result': 'first, tied (first with others), weighed, or refused',
    'weight': "nova's sum of the shares",
    'step': 'the first step that refused it: placement, cell, request (hosts '
    'that the request itself names or rules out), or a filter',
    'why': 'what that step is for',
    'reasons': "all of XenHostFilter's: code, reason, remedy, report_only",
    'shares': 'of each weigher: raw, normalised, multiplier, share',
    'first_without': 'weighers without each of which it would come first',
    'rooms': 'of a Xen host once the guest is there: room, capacity, used, '
    'unit, headroom, source (computed, or reported by Xen)',
}
