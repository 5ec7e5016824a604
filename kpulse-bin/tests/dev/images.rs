//! Both Dockerfiles, as far as they can be tried without an engine: read strictly, their sources looked for, and the program
//! run as the image's user in a root that holds only what the last stage has.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use kpulse_testkit::cluster::FakeCluster;

use super::checkout::Checkout;
use super::dockerfile::{Stage, Step, parse};
use super::{inputs, read, root};

const DEV: &str = "Dockerfile.dev";
const RELEASE: &str = "deploy/Dockerfile";
const KPULSE: &str = "/usr/local/bin/kpulse";
const CERTIFICATES: &str = "/etc/ssl/certs/ca-certificates.crt";

fn stages(path: &str) -> Vec<Stage> {
    parse(&read(path)).unwrap_or_else(|fault| panic!("{path}: {fault}"))
}

/// What a Dockerfile copies from its build context.
fn from_context(stages: &[Stage]) -> Vec<&String> {
    let sources = |step| match step {
        &Step::Copy { from: None, ref sources, .. } => sources.iter().collect(),
        _ => Vec::new(),
    };
    stages.iter().flat_map(|stage| &stage.steps).flat_map(sources).collect()
}

#[test]
fn both_end_as_a_user_who_is_nobody_with_the_program_and_the_certificates() {
    for path in [DEV, RELEASE] {
        let stages = stages(path);
        let last = stages.last().unwrap();
        assert_eq!((last.user.as_str(), &last.entrypoint[..]), ("65532:65532", &[KPULSE.to_owned()][..]), "{path}");
        let into = |place: &str| last.steps.iter().any(|step| matches!(step, Step::Copy { to, .. } if to == place));
        assert!(into("/etc/ssl/certs/") && into("/usr/local/bin/"), "{path}");
    }
    assert_eq!(stages(RELEASE).last().unwrap().from, "scratch");
}

/// What the Kubernetes API has no word for: `docker build --file Dockerfile.dev target/image`, with what dev/build.sh laid there.
#[test]
fn the_dev_image_is_made_of_what_the_build_lays_down() {
    let checkout = Checkout::new(&["cargo"]);
    checkout.write("target/dev-image/kpulse", b"\x7fELF");
    assert!(checkout.run("build.sh", &["kpulse"]).success);
    let stages = stages(DEV);
    let sources = from_context(&stages);
    assert_eq!(sources, ["kpulse"]);
    assert!(checkout.path("target/image").join(sources[0]).exists());
}

/// The sources of the release image, with `.dockerignore` applied: all the compiler reads, and manifests cargo accepts.
#[test]
fn the_release_image_is_made_of_all_that_kpulse_is_built_from() {
    let context = Context::of_the_repository();
    let stages = stages(RELEASE);
    let copied = from_context(&stages);
    for source in &copied {
        assert!(context.has(source), "{RELEASE} copies {source}, which does not exist or is left out by .dockerignore");
    }
    let within = |path: &str| copied.iter().any(|source| path == *source || path.starts_with(&format!("{source}/")));
    for path in inputs::read_by_the_compiler() {
        assert!(within(&path) && context.has(&path), "{path} is compiled in and not in the image's build");
    }
    for left_out in [".git", "target", "docs", "kpulse-core/tests", "kpulse-testkit/recordings", ".env.kpulse"] {
        assert!(!context.has(left_out), "{left_out} makes the cache stale for nothing, or worse");
    }
    let directory = tempdir("context");
    for path in context.files.iter().filter(|path| within(path)) {
        let to = directory.join(path);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        symlink(root().join(path), to).unwrap();
    }
    let metadata = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--locked", "--format-version=1"])
        .current_dir(&directory)
        .output()
        .unwrap();
    fs::remove_dir_all(&directory).unwrap();
    assert!(metadata.status.success(), "{}", String::from_utf8_lossy(&metadata.stderr));
}

/// The files that `docker build .` sends: `.dockerignore` as far as it is used here.
struct Context {
    files: BTreeSet<String>,
}

impl Context {
    fn of_the_repository() -> Self {
        let ignore = read(".dockerignore");
        let rules: Vec<&str> = ignore.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
        let listed =
            Command::new("git").args(["ls-files", "--cached", "--others"]).current_dir(root()).output().unwrap();
        let listed = String::from_utf8(listed.stdout).unwrap();
        let sent = |path: &&str| {
            let mut sent = true;
            for rule in &rules {
                let (rule, takes) = rule.strip_prefix('!').map_or((*rule, false), |rule| (rule, true));
                if means(rule, path) {
                    sent = takes;
                }
            }
            sent
        };
        Self { files: listed.lines().filter(sent).map(str::to_owned).collect() }
    }

    fn has(&self, path: &str) -> bool {
        self.files.iter().any(|file| file == path || file.starts_with(&format!("{path}/")))
    }
}

/// Whether a rule, whose parts may hold one `*` each, means a path or a directory above it.
fn means(rule: &str, path: &str) -> bool {
    let mut parts = path.split('/');
    rule.split('/').all(|rule| {
        let part = parts.next();
        part.is_some_and(|part| match rule.split_once('*') {
            Some((begin, end)) => {
                part.len() >= begin.len() + end.len() && part.starts_with(begin) && part.ends_with(end)
            }
            None => part == rule,
        })
    })
}

fn tempdir(name: &str) -> PathBuf {
    let directory = std::env::temp_dir().join(format!("kpulse-image-{name}-{}", std::process::id()));
    let _left = fs::remove_dir_all(&directory);
    fs::create_dir_all(&directory).unwrap();
    directory
}

/// A root file system with what the last stage of an image has, and with the libraries this build of kpulse needs.
struct Root {
    directory: PathBuf,
}

impl Root {
    /// Plays the last stage: the certificates of this machine stand for those of the image it copies from, and the program of
    /// this test for the one that is built. Where the base image has them, the libraries come from this machine, too.
    fn of(path: &str) -> Self {
        let stages = stages(path);
        let directory = tempdir(&path.replace('/', "-"));
        for step in &stages.last().unwrap().steps {
            let Step::Copy { sources, to, .. } = step else { panic!("{path}: the last stage runs something") };
            for source in sources {
                match to.as_str() {
                    "/usr/local/bin/" => copy(Path::new(env!("CARGO_BIN_EXE_kpulse")), &directory, KPULSE),
                    "/" => copy_libraries(&stages, &directory),
                    _ => copy(Path::new(source), &directory, &format!("{to}{}", source.rsplit('/').next().unwrap())),
                }
            }
        }
        Self { directory }
    }

    /// As the image's user, with nothing of this environment.
    fn command(&self) -> Command {
        let mut command = Command::new("/usr/sbin/chroot");
        command.args(["--userspec=65532:65532"]).arg(&self.directory).arg(KPULSE).env_clear().stdin(Stdio::null());
        command
    }
}

impl Drop for Root {
    fn drop(&mut self) {
        let _left = fs::remove_dir_all(&self.directory);
    }
}

fn copy(from: &Path, root: &Path, to: &str) {
    let to = root.join(to.trim_start_matches('/'));
    fs::create_dir_all(to.parent().unwrap()).unwrap();
    fs::copy(from, &to).unwrap_or_else(|error| panic!("{}: {error}", from.display()));
}

/// Runs the command that Dockerfile.dev gathers the libraries with, on this machine.
fn copy_libraries(stages: &[Stage], root: &Path) {
    let [Step::Run(gather)] = &stages[0].steps[..] else { panic!("{DEV}: the first stage gathers the libraries") };
    let gathered = root.join("library");
    let command = gather.replace(" /library", &format!(" {}", gathered.display()));
    assert!(Command::new("sh").args(["-c", &command]).status().unwrap().success(), "{command}");
    for entry in fs::read_dir(&gathered).unwrap() {
        let entry = entry.unwrap();
        let from = format!("{}/.", entry.path().display());
        let to = root.join(entry.file_name());
        assert!(Command::new("cp").args(["-R", &from]).arg(&to).status().unwrap().success());
    }
    fs::remove_dir_all(&gathered).unwrap();
}

/// What the dynamic linker loads for this build of kpulse.
fn closure() -> Vec<String> {
    let ldd = Command::new("ldd").arg(env!("CARGO_BIN_EXE_kpulse")).output().unwrap();
    let text = String::from_utf8(ldd.stdout).unwrap();
    text.split_whitespace()
        .filter(|word| word.starts_with('/'))
        .map(|path| path.trim_end_matches(':').to_owned())
        .collect()
}

/// Why a root cannot be tried on this machine.
fn obstacle() -> Option<&'static str> {
    let id = Command::new("id").arg("-u").output().unwrap();
    if id.stdout.trim_ascii() != b"0" {
        return Some("only root may change its root directory");
    }
    if !Path::new("/etc/debian_version").exists() {
        return Some("the libraries of Dockerfile.dev are where Debian has them");
    }
    (!Path::new(CERTIFICATES).exists()).then_some("there are no certificates to lay into it: install ca-certificates")
}

/// The agent in such a root, until it watches the cluster or ends.
async fn watches(root: &Root) -> Result<(), String> {
    let cluster = FakeCluster::new();
    let server = cluster.serve().await.unwrap();
    let config =
        "cluster: {name: image}\nchannels: {webhook: {url: \"https://hooks.example/x\"}}\nlog: {format: text}\n";
    fs::create_dir_all(root.directory.join("mounted")).unwrap();
    fs::write(root.directory.join("mounted/config.yaml"), config).unwrap();
    fs::write(root.directory.join("mounted/kubeconfig"), server.kubeconfig()).unwrap();
    let log = fs::File::create(root.directory.join("log")).unwrap();
    let mut agent: Child = root
        .command()
        .args(["run", "--config=/mounted/config.yaml", "--kubeconfig=/mounted/kubeconfig", "--http=127.0.0.1:0"])
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .unwrap();
    let end = Instant::now() + Duration::from_secs(30);
    while cluster.open_watches("pods") == 0 && agent.try_wait().unwrap().is_none() && Instant::now() < end {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let watching = cluster.open_watches("pods") > 0;
    agent.kill().unwrap();
    agent.wait().unwrap();
    let said = fs::read_to_string(root.directory.join("log")).unwrap();
    if watching { Ok(()) } else { Err(said) }
}

#[tokio::test(flavor = "multi_thread")]
async fn kpulse_runs_in_the_dev_image() {
    if let Some(why) = obstacle() {
        eprintln!("not tried: {why}");
        return;
    }
    let root = Root::of(DEV);
    for library in closure().iter().filter(|path| !path.contains("linux-vdso")) {
        let name = library.rsplit('/').next().unwrap();
        let found = Command::new("find").arg(&root.directory).args(["-name", name]).output().unwrap();
        assert!(!found.stdout.is_empty(), "Dockerfile.dev does not bring {library}");
    }
    let version = root.command().arg("--version").output().unwrap();
    assert!(version.status.success(), "{}", String::from_utf8_lossy(&version.stderr));
    watches(&root).await.unwrap();
}

/// The program of this test is linked to libraries, the released one to none (its build checks that): they are added.
#[tokio::test(flavor = "multi_thread")]
async fn kpulse_runs_in_the_release_image_and_needs_its_certificates() {
    if let Some(why) = obstacle() {
        eprintln!("not tried: {why}");
        return;
    }
    let root = Root::of(RELEASE);
    for library in closure() {
        copy(Path::new(&library), &root.directory, &library);
    }
    watches(&root).await.unwrap();
    fs::remove_file(root.directory.join(CERTIFICATES.trim_start_matches('/'))).unwrap();
    let said = watches(&root).await.unwrap_err();
    assert!(said.contains("certificates"), "{said}");
}
