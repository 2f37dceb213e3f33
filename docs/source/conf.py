# SPDX-License-Identifier: Apache-2.0

"""How Sphinx builds the documentation: make docs."""

from importlib import metadata
import os
import sys

sys.path.insert(0, os.path.abspath('../ext'))

project = 'nova-xen-sched'
copyright = 'the authors of nova-xen-sched'  # noqa: A001  Sphinx's name
author = 'the authors of nova-xen-sched'
release = version = metadata.version('nova-xen-sched')

extensions = [
    'openstackdocstheme',
    'oslo_config.sphinxext',
    'commands',
    'notes',
    'shown',
]
# What is referred to must be there: make docs fails of a warning.
nitpicky = True
# What is shown is pasted.
smartquotes = False

# The parts of OpenStack's theme that are for projects on opendev.org.
openstackdocs_auto_name = False
openstackdocs_auto_version = False
openstackdocs_pdf_link = False
html_theme = 'openstackdocs'
html_theme_options = {
    'display_badge': False,
    'display_global_toc_section': True,
    'show_other_versions': False,
    'sidebar_search': True,
    # OpenStack counts who reads its own pages.
    'analytics_tracking_code': '',
}
html_last_updated_fmt = None
html_static_path = ['_static']
templates_path = ['_templates']
html_css_files = ['pages.css']
pygments_style = 'native'

man_pages = [
    (
        'cli/nova-xen-sched',
        'nova-xen-sched',
        'Xen hosts as nova-scheduler sees them',
        author,
        1,
    ),
    (
        'cli/nova-xen-sched-status',
        'nova-xen-sched-status',
        'checks of nova-xen-sched before and after upgrades',
        author,
        1,
    ),
    (
        'cli/nova-compute-xen',
        'nova-compute-xen',
        'nova-compute with a libvirt driver for real Xen hosts',
        author,
        1,
    ),
]


def setup(app):
    """What is named by its name alone: a code or a fact links to its page."""
    for kind in ('refusal', 'fact', 'finding', 'metric'):
        app.add_object_type(kind, kind, 'pair: %%s; %s' % kind)
