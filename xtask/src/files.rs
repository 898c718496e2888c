//! The files of the repository, read once.

use std::fs;
use std::path::{Path, PathBuf};

use crate::Findings;

/// Folders that are no part of the source.
const SKIPPED: [&str; 3] = ["target", ".git", "node_modules"];
/// Kinds of files that a check looks into.
const READ: [&str; 5] = ["rs", "md", "toml", "jsonl", "json"];

/// The workspace.
pub(crate) struct Repository {
    root: PathBuf,
    /// By path, ascending.
    files: Vec<SourceFile>,
}

/// One text file.
pub(crate) struct SourceFile {
    /// From the root, with forward slashes.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl Repository {
    /// The workspace that this crate belongs to.
    ///
    /// # Panics
    /// If a file can't be read.
    pub(crate) fn open() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .expect("the crate stands in a workspace")
            .to_owned();
        let mut files = Vec::new();
        collect(&root, &root, &mut files);
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Self { root, files }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The files whose name ends so, without the dot.
    pub(crate) fn with_extension<'a>(&'a self, extension: &'a str) -> impl Iterator<Item = &'a SourceFile> {
        self.files.iter().filter(move |file| extension_of(&file.path) == extension)
    }

    /// The text of a file, if it is there.
    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        let index = self.files.binary_search_by(|file| file.path.as_str().cmp(path)).ok()?;
        self.files.get(index).map(|file| file.text.as_str())
    }

    /// Whether a file or a folder is there, read or not.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.root.join(path).exists()
    }

    /// The names of the files in a folder that end in `.md`, without the ending, ascending.
    pub(crate) fn pages_in(&self, folder: &str) -> Vec<&str> {
        let mut pages = Vec::new();
        for file in &self.files {
            let name = file.path.strip_prefix(folder).and_then(|rest| rest.strip_prefix('/'));
            let name = name.and_then(|name| name.strip_suffix(".md"));
            pages.extend(name.filter(|name| !name.contains('/')));
        }
        pages
    }
}

fn extension_of(path: &str) -> &str {
    path.rsplit_once('.').map_or("", |(_, extension)| extension)
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<SourceFile>) {
    let entries =
        fs::read_dir(folder).unwrap_or_else(|error| panic!("cannot read {}: {error}", folder.display()));
    for entry in entries {
        let path = entry.expect("a folder can be read to its end").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            if !SKIPPED.contains(&name.as_str()) {
                collect(root, &path, files);
            }
        } else if READ.contains(&extension_of(&name)) {
            let text = fs::read_to_string(&path)
                .unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
            let relative = path.strip_prefix(root).expect("it was found under the root");
            files.push(SourceFile { path: relative.to_string_lossy().replace('\\', "/"), text });
        }
    }
}

/// Both licences that the manifests name are there.
pub(crate) fn check_licences(repository: &Repository) -> Findings {
    let missing = ["LICENSE-APACHE", "LICENSE-MIT"].into_iter().filter(|file| !repository.has(file));
    missing.map(|file| format!("{file} is missing")).collect()
}
