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

"""The compute side: a nova-compute that works on a real Xen host.

Optional, and apart from the plugin: nothing else in this package imports it.
It runs in dom0 with nova 22, the last nova with Xen. launcher.py starts
nova-compute with the driver in driver.py, which reports what stats.py makes
of the host.
"""
