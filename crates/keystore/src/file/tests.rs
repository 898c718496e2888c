use super::*;

fn folder() -> tempfile::TempDir {
    let parent = tempfile::tempdir().unwrap();
    private_folder(&parent.path().join("keys")).unwrap();
    parent
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_file_is_written_whole_or_not_at_all_and_nothing_is_left_over() {
    let parent = folder();
    let keys = parent.path().join("keys");
    let path = keys.join("a.json");
    write_private(&path, "one", Place::Free).unwrap();
    assert_eq!(read_private(&path).unwrap(), "one");
    let taken = write_private(&path, "two", Place::Free).unwrap_err();
    assert!(
        matches!(&taken, KeystoreError::Io { error, .. } if error.kind() == io::ErrorKind::AlreadyExists)
    );
    assert_eq!(read_private(&path).unwrap(), "one");
    write_private(&path, "three", Place::Replace).unwrap();
    assert_eq!(read_private(&path).unwrap(), "three");
    assert_eq!(names(&keys), ["a.json"]);
    fs::create_dir(keys.join("b.json")).unwrap();
    assert!(write_private(&keys.join("b.json"), "x", Place::Replace).is_err());
    assert_eq!(names(&keys), ["a.json", "b.json"]);
}

#[cfg(unix)]
#[test]
fn files_and_folders_are_for_their_owner_only() {
    let parent = folder();
    let keys = parent.path().join("keys");
    let path = keys.join("a.json");
    write_private(&path, "one", Place::Free).unwrap();
    assert_eq!((mode(&keys), mode(&path)), (0o700, 0o600));
    for open in [0o640, 0o604, 0o660, 0o611] {
        set_mode(&path, open);
        let text = read_private(&path).unwrap_err().to_string();
        assert!(text.contains(&format!("mode {open:04o}")) && text.contains("chmod 600 '"), "{text}");
    }
    set_mode(&path, 0o400);
    assert_eq!(read_private(&path).unwrap(), "one", "less than 0600 is fine");
    set_mode(&keys, 0o750);
    let text = private_folder(&keys).unwrap_err().to_string();
    assert!(text.contains("mode 0750") && text.contains("chmod 700 '"), "{text}");
}

#[cfg(unix)]
#[test]
fn links_and_folders_are_not_followed() {
    let parent = folder();
    let keys = parent.path().join("keys");
    let path = keys.join("a.json");
    write_private(&path, "one", Place::Free).unwrap();
    let link = keys.join("link.json");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    let folder_link = parent.path().join("link");
    std::os::unix::fs::symlink(&keys, &folder_link).unwrap();
    for refused in [read_private(&link).unwrap_err(), read_private(&keys).unwrap_err()] {
        assert!(matches!(refused, KeystoreError::WrongKindOfFile { wanted: "file", .. }), "{refused}");
    }
    for path in [&folder_link, &path] {
        let refused = private_folder(path).unwrap_err();
        assert!(matches!(refused, KeystoreError::WrongKindOfFile { wanted: "folder", .. }), "{refused}");
    }
}

#[test]
fn a_large_file_is_not_read() {
    let parent = folder();
    let path = parent.path().join("keys").join("a.json");
    let most = usize::try_from(KEY_FILE_BYTES_MAX).unwrap();
    write_private(&path, &"x".repeat(most), Place::Free).unwrap();
    assert_eq!(read_private(&path).unwrap().len(), most);
    write_private(&path, &"x".repeat(most + 1), Place::Replace).unwrap();
    assert!(matches!(read_private(&path), Err(KeystoreError::TooLong { .. })));
}
