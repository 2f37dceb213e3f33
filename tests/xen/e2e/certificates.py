# SPDX-License-Identifier: Apache-2.0

"""An authority and certificates for libvirt, made for one run."""

from __future__ import annotations

from pathlib import Path
import subprocess

from tests.e2e.processes import Failure

#: Where libvirt looks for them, of a server and of a client (libvirt.org,
#: tlscerts).
AUTHORITY = '/etc/pki/CA/cacert.pem'
SERVER = '/etc/pki/libvirt/servercert.pem'
SERVER_KEY = '/etc/pki/libvirt/private/serverkey.pem'
CLIENT = '/etc/pki/libvirt/clientcert.pem'
CLIENT_KEY = '/etc/pki/libvirt/private/clientkey.pem'


class Authority:
    """Signs for all hosts of a run."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(mode=0o700)
        self._openssl(
            *('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2'),
            *('-subj', '/CN=xen-e2e', '-keyout', 'ca.key', '-out', 'ca.crt'),
        )

    def files(self, name: str, address: str) -> dict[str, bytes]:
        """What a host needs: path -> content. One key serves both ends."""
        extensions = self._folder / 'extensions'
        extensions.write_text(
            'subjectAltName=DNS:%s,IP:%s\n' % (name, address)
        )
        self._openssl(
            *('req', '-new', '-newkey', 'rsa:2048', '-nodes'),
            *('-subj', '/CN=' + name, '-keyout', 'key', '-out', 'request'),
        )
        self._openssl(
            *('x509', '-req', '-in', 'request', '-days', '2'),
            *('-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial'),
            *('-extfile', 'extensions', '-out', 'crt'),
        )
        key = (self._folder / 'key').read_bytes()
        crt = (self._folder / 'crt').read_bytes()
        return {
            AUTHORITY: (self._folder / 'ca.crt').read_bytes(),
            SERVER: crt,
            SERVER_KEY: key,
            CLIENT: crt,
            CLIENT_KEY: key,
        }

    def _openssl(self, *words: str) -> None:
        done = subprocess.run(
            ['openssl', *words],
            cwd=self._folder,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise Failure('openssl %s: %s' % (words[0], done.stderr[-500:]))
