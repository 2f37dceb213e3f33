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

"""nova on two real Xen hosts, emulated: ``make xen-e2e``.

tests/xen/facts has the hosts, tests/e2e the controllers; here is what joins
them: nova-compute-xen in each dom0, and what is asked of all of it.
"""
