# A repository of small packages below /srv/repo, and nothing else to install from.
set -e
mkdir -p /srv/repo /tmp/build
cd /tmp/build
deb() { # NAME SCRIPT [FIELD...]: a package with a script of its maintainer that fails, if SCRIPT is not "-"
    rm -rf t
    mkdir -p t/DEBIAN "t/usr/share/$1"
    if [ "$2" != - ]; then
        printf '#!/bin/sh\nexit 1\n' > "t/DEBIAN/$2"
        chmod 755 "t/DEBIAN/$2"
    fi
    {
        echo "Package: $1"
        echo "Version: 1.0"
        echo "Architecture: all"
        echo "Maintainer: T <t@example.org>"
        shift 2
        for field in "$@"; do echo "$field"; done
        echo "Description: a package of the tests"
    } > t/DEBIAN/control
    dpkg-deb --root-owner-group -b t /srv/repo > /dev/null
}
deb zone - "Depends: zlib"
deb zlib -
deb ztwo -
deb zthree -
deb zgone -
deb zpost postinst
deb zpre preinst
deb zmaybe - "Depends: zleft | zright"
deb zleft -
deb zright -
deb zenemy - "Conflicts: zone"
cd /srv/repo
for file in *.deb; do
    dpkg-deb -f "$file"
    echo "Filename: ./$file"
    echo "Size: $(stat -c %s "$file")"
    echo "SHA256: $(sha256sum < "$file" | cut -d' ' -f1)"
    echo
done > Packages
# In the index, but not to be had.
rm zgone_1.0_all.deb
rm -rf /etc/apt/sources.list.d/* /var/lib/apt/lists/* /etc/apt/preferences.d/*
echo 'deb [trusted=yes] file:/srv/repo ./' > /etc/apt/sources.list
echo 'Acquire::Languages "none"; Dpkg::Use-Pty "0"; APT::Sandbox::User "root";' > /etc/apt/apt.conf.d/99test
apt-get update > /dev/null
# Root by another name: to become it takes a process of its own.
useradd -o -u 0 -g 0 -M -d /root packager
