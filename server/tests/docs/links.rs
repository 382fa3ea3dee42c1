//! Links lead somewhere.

use std::path::{Component, Path, PathBuf};

use super::document::{Document, root};

#[test]
fn links_lead_somewhere() {
    let mut documents = Document::for_operators();
    documents.extend(["CHANGELOG.md", "sdk/PROTOCOL.md"].map(Document::read));
    let mut count = 0;
    for document in &documents {
        for link in document.links() {
            if link.starts_with("https://") || link.starts_with("http://") {
                continue;
            }
            count += 1;
            let (path, anchor) =
                link.split_once('#').map_or((link, None), |(path, anchor)| (path, Some(anchor)));
            let target =
                if path.is_empty() { PathBuf::from(&document.name) } else { resolve(&document.name, path) };
            assert!(root().join(&target).exists(), "{}: {link} is not there", document.name);
            if let Some(anchor) = anchor {
                let anchors = Document::read(target.to_str().unwrap()).anchors();
                assert!(
                    anchors.iter().any(|known| known == anchor),
                    "{}: {link}: {anchors:?}",
                    document.name
                );
            }
        }
    }
    assert!(count >= 20, "only {count} were found");
}

/// The path in the workspace of what a document names.
fn resolve(document: &str, link: &str) -> PathBuf {
    let mut path = Path::new(document).parent().unwrap().to_owned();
    for part in Path::new(link).components() {
        match part {
            Component::ParentDir => assert!(path.pop(), "{document}: {link} leads out of the workspace"),
            part => path.push(part),
        }
    }
    path
}
