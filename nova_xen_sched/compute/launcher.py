# SPDX-License-Identifier: Apache-2.0

"""nova-compute-xen: nova-compute, with a driver for real Xen hosts.

nova looks for compute_driver under nova.virt only, so a folder is appended
to nova.virt.__path__; nothing of nova's own is replaced. Then it is
nova-compute, with its configuration and its arguments.
"""

from __future__ import annotations

import os
import sys

#: What compute_driver must be in nova.conf.
DRIVER = 'xen_libvirt.XenLibvirtDriver'

_FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'nova_virt')

#: What a misconfigured service ends with, so that systemd needn't try again.
MISCONFIGURED = 2
#: As shells have it of a program that Ctrl-C ended.
INTERRUPTED = 130


def main() -> int:
    """Runs nova-compute until it is ended.

    :returns: MISCONFIGURED, with one line on stderr, if there is no nova, it
        has no Xen, or nova.conf says otherwise or can't be read.
    """
    try:
        # Nothing is imported before: this lets eventlet do its patching, as
        # nova-compute does first of all.
        import nova.cmd

        complaint = complaint_of_nova() or complaint_of_conf(sys.argv)
    except ImportError as e:
        complaint = (
            "nova can't be imported (%s); run this with the Python that "
            'nova-compute runs with' % e
        )
    except KeyboardInterrupt:
        sys.stderr.write('nova-compute-xen: interrupted before it started\n')
        return INTERRUPTED
    if complaint:
        sys.stderr.write('nova-compute-xen: %s\n' % complaint.rstrip('.'))
        return MISCONFIGURED

    from nova.cmd import compute
    import nova.virt

    nova.virt.__path__.append(_FOLDER)
    # By this name nova finds nova-compute.conf beside nova.conf.
    sys.argv[0] = os.path.join(os.path.dirname(sys.argv[0]), 'nova-compute')
    compute.main()
    return 0


def complaint_of_nova() -> str | None:
    """What is wrong with this nova, None if it has Xen."""
    from nova import version
    from nova.conf import libvirt

    for option in libvirt.libvirt_general_opts:
        if option.name == 'virt_type' and 'xen' in option.type.choices:
            return None
    return (
        'nova %s has no Xen any more; the last that has (virt_type = xen) is '
        'nova 22' % version.version_string()
    )


def complaint_of_conf(argv: list[str]) -> str | None:
    """What is wrong with nova.conf, None if nothing is.

    :param argv: the command line.
    """
    import argparse

    from oslo_config import cfg

    from nova_xen_sched import conf as options
    from nova_xen_sched.conf import files

    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument('--config-file', action='append')
    parser.add_argument('--config-dir', action='append')
    given, _ = parser.parse_known_args(argv[1:])
    named = given.config_file, given.config_dir
    conf = cfg.ConfigOpts()
    conf.register_opt(cfg.StrOpt('compute_driver'))
    conf.register_opt(cfg.StrOpt('virt_type', default='kvm'), 'libvirt')
    options.register_opts(conf)
    try:
        conf(files.arguments(*named), project='nova', prog='nova-compute')
        driver, virt_type = conf.compute_driver, conf.libvirt.virt_type
        options.read(conf)
    except options.OptionError as e:
        return str(e)
    except files.ERRORS as e:
        return files.complaint(e, *named, prog='nova-compute')
    if driver != DRIVER:
        return 'compute_driver is %s in nova.conf; it must be %s here' % (
            driver or 'not set',
            DRIVER,
        )
    if virt_type != 'xen':
        return (
            '[libvirt] virt_type is %s in nova.conf; it must be xen here'
            % virt_type
        )
    return None
