# SPDX-License-Identifier: Apache-2.0

"""Facts as aggregates of nova: from what is wanted to calls of its API.

content.py says what an aggregate of ours looks like, plan.py what has to
change, apply.py changes it and nova.py calls the API. What each host's facts
shall be comes from wanted.py; difference.py says what that changes for it.
"""
