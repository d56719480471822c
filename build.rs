//! Has the program built anew when the web app was: its files are compiled in (`src/http/web.rs`).

/// What `npm run build` makes: the app, and the front page of the demonstration.
const FOLDERS: [&str; 2] = ["ui/build", "ui/build-demo"];

fn main() {
    for folder in FOLDERS {
        // A folder that is not there would have everything built anew each time. Where it cannot be
        // made, that is all that happens.
        let _ = std::fs::create_dir_all(folder);
        println!("cargo::rerun-if-changed={folder}");
    }
}
