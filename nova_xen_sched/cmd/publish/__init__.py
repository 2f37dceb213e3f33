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

"""Facts as aggregates of nova: from what is wanted to calls of its API.

content.py says what an aggregate of ours looks like, plan.py what has to
change, apply.py changes it and nova.py calls the API. What each host's facts
shall be comes from wanted.py; difference.py says what that changes for it.
"""
