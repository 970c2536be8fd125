//! Whether a folder lies on a filesystem of other machines, where a lock may hold on this machine alone.

use std::path::Path;

/// The magic numbers that `statfs` gives (Linux `magic.h` and the filesystems' own sources), and their names.
#[cfg(target_os = "linux")]
const KINDS: &[(u32, &str)] = &[
    (0x6969, "NFS"),
    (0xff53_4d42, "CIFS"),
    (0xfe53_4d42, "SMB"),
    (0x517b, "SMB"),
    (0x0102_1997, "9p"),
    (0x00c3_6400, "Ceph"),
    (0x5346_414f, "AFS"),
    (0x6b41_4653, "AFS"),
    (0x7375_7245, "Coda"),
    (0x564c, "NCP"),
    (0x0bd0_0bd0, "Lustre"),
    (0x4750_4653, "GPFS"),
    (0x1980_0202, "OrangeFS"),
    (0x2003_0528, "OrangeFS"),
    (0x0116_1970, "GFS2"),
    (0x7461_636f, "OCFS2"),
    (0xaad7_aaea, "PanFS"),
    (0x786f_4256, "a shared folder of VirtualBox"),
    (0xbacb_acbc, "a shared folder of VMware"),
    (0x6573_5546, "FUSE, which may be a network's"),
];

/// The kind of network filesystem that `path` lies on, if it lies on one.
#[cfg(target_os = "linux")]
pub fn network_filesystem(path: &Path) -> Option<&'static str> {
    let kind = rustix::fs::statfs(path).ok()?.f_type;
    // The field is wider than the numbers, and its sign differs between machines.
    name(u32::try_from(kind & 0xffff_ffff).ok()?)
}

/// Unknown on this system.
#[cfg(not(target_os = "linux"))]
pub fn network_filesystem(_: &Path) -> Option<&'static str> {
    None
}

#[cfg(target_os = "linux")]
fn name(magic: u32) -> Option<&'static str> {
    KINDS.iter().find(|(kind, _)| *kind == magic).map(|(_, name)| *name)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn knows_them_by_their_numbers() {
        let check = |magic: u32, expected: Option<&str>| assert_eq!(name(magic), expected, "{magic:#x}");
        check(0x6969, Some("NFS"));
        check(0xff53_4d42, Some("CIFS"));
        check(0x6573_5546, Some("FUSE, which may be a network's"));
        check(0x5346_414f, Some("AFS"));
        // tmpfs, ext4, btrfs, xfs, overlayfs: this machine's own.
        for magic in [0x0102_1994, 0xef53, 0x9123_683e, 0x5846_5342, 0x794c_7630] {
            check(magic, None);
        }
    }

    #[test]
    fn this_machines_own_is_none() {
        assert_eq!(network_filesystem(Path::new("/proc")), None);
        assert_eq!(network_filesystem(Path::new("/no/such/folder")), None);
    }
}
