use std::path::{Path, PathBuf};

use xynergy_core::TenantId;

/// The tenant's folder. Names that differ stay apart also where the file system does not tell capital letters from small ones, and none is
/// a way out of `root`.
pub(super) fn of(root: &Path, tenant: &TenantId) -> PathBuf {
    let mut name = "tenant-".to_owned();
    for c in tenant.as_str().chars() {
        match c {
            'A'..='Z' => name.extend(['+', c.to_ascii_lowercase()]),
            '.' => name.push('='),
            other => name.push(other),
        }
    }
    root.join(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tenants_have_folders_of_their_own() {
        let name = |tenant: &str| {
            let path = of(Path::new("/r"), &TenantId::new(tenant).unwrap());
            assert_eq!(path.parent(), Some(Path::new("/r")), "{tenant}");
            path.file_name().unwrap().to_str().unwrap().to_owned()
        };
        assert_eq!(
            [name("acme"), name("Acme.eu"), name("..")],
            ["tenant-acme", "tenant-+acme=eu", "tenant-=="]
        );
    }
}
