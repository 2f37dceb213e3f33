# SPDX-License-Identifier: Apache-2.0

"""Facts of Xen hosts: shown, written to a file, published as aggregates.

read_hosts.py asks the hosts for all three. export.py puts facts into a file:
edit_file.py edits its text, write_file.py replaces it. publish.py puts them
into aggregates of nova, which aggregates.py describes: desired.py says which
facts each host shall have, plan.py what has to change for that, apply.py
changes it and nova_api.py calls the API. traits.py has the plan of traits in
placement, and changes them.
"""
