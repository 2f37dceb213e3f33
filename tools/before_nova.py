# SPDX-License-Identifier: Apache-2.0

"""What must be so before nova is imported; importing this makes it so."""

import os
import warnings

# As nova-scheduler runs by default since nova 33.
os.environ.setdefault('OS_NOVA_DISABLE_EVENTLET_PATCHING', 'true')
# The deprecations of others are no news here.
warnings.simplefilter('ignore')
