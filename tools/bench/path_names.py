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

"""What the whole path is timed as; path.py can't be imported by everyone."""

STOCK = 'nova as it comes'
FILTERED = 'with XenHostFilter'
PLUGIN = 'with XenHostFilter and Dom0HeadroomWeigher'
READ = 'the read of an instance'


def choosing(name: str) -> str:
    """What its filters and weighers alone are timed as."""
    return name + ', filters and weighers'
