# SPDX-License-Identifier: Apache-2.0

"""nova's network interfaces of guests, as libxl takes them."""

from __future__ import annotations

import typing as ty

from nova import exception
from nova.network import model as network_model
from nova.objects import fields
from nova.virt.libvirt import config
from nova.virt.libvirt import vif as libvirt_vif

#: What Xen's script vif-common.sh adds to an interface's name for that of
#: the NIC which its device model emulates beside it.
_EMULATED = '-emu'
#: Linux: IFNAMSIZ, less the zero at the end.
_LONGEST_NAME = 15


class VIFDriver(libvirt_vif.LibvirtGenericVIFDriver):
    """Makes each guest's interfaces."""

    def get_config(
        self,
        instance: ty.Any,
        vif: ty.Any,
        image_meta: ty.Any,
        *arguments: ty.Any,
        **more: ty.Any,
    ) -> ty.Any:
        """Adds to LibvirtGenericVIFDriver.get_config: netfront.

        For HVM without a model libxl has the device model emulate a NIC,
        beside the PV one. Its interface in dom0 would be called <name>-emu,
        and nova's names of 14 characters leave no room for that: "name" not a
        valid ifname. For PV libvirt takes no other: "only model 'netfront' is
        supported for Xen PV(H) domains".

        :raises ImageUnacceptable: where the image's hw_vif_model asks for an
            emulated NIC that there can't be; then nova tries no other host.
        """
        found = super().get_config(
            instance, vif, image_meta, *arguments, **more
        )
        if not _has_backend(found):
            return found
        if fields.VMMode.get_from_instance(instance) != 'hvm':
            # Nobody loses anything: it has no other NIC.
            if found.model:
                found.model = network_model.VIF_MODEL_NETFRONT
            return found
        found.model = found.model or network_model.VIF_MODEL_NETFRONT
        why_not = _why_not(found)
        if why_not:
            raise exception.ImageUnacceptable(
                image_id=instance.image_ref, reason=why_not
            )
        return found


def _has_backend(found: ty.Any) -> bool:
    """Whether it is an interface that dom0 serves, not a device of its own.

    :param found: nova's LibvirtConfigGuestDevice.
    """
    return (
        isinstance(found, config.LibvirtConfigGuestInterface)
        and found.net_type != 'hostdev'
    )


def _why_not(found: ty.Any) -> str:
    """Why an HVM guest can't have its interface; empty if it can."""
    name = (found.target_dev or '') + _EMULATED
    if (
        found.model == network_model.VIF_MODEL_NETFRONT
        or len(name) <= _LONGEST_NAME
    ):
        return ''
    return (
        'hw_vif_model=%s: Xen would call the emulated NIC %s, which is %d '
        'characters long, and Linux takes %d. Remove hw_vif_model, or set it '
        'to %s'
        % (
            found.model,
            name,
            len(name),
            _LONGEST_NAME,
            network_model.VIF_MODEL_NETFRONT,
        )
    )
