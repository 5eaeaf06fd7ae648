use super::*;
use std::process::{Child, Command};

fn limits() -> Sandbox {
    Sandbox::default()
}

/// A group of this test's own; `None`, with a word about it, where none can be made.
fn group(limits: &Sandbox) -> Option<Cgroup> {
    let name = format!("oz-test-{}", uuid::Uuid::new_v4().simple());
    match Cgroup::create(&name, limits) {
        Ok(group) => Some(group),
        Err(why) => {
            #[expect(clippy::print_stderr, reason = "who reads the tests is to know")]
            {
                eprintln!("SKIPPED: {why}");
            }
            None
        }
    }
}

/// Starts a command in the group, as its first step.
fn start(group: &Cgroup, command: &str) -> Child {
    let join: Vec<String> = group
        .places
        .iter()
        .map(|(h, _)| format!("echo $$ > {}/cgroup.procs", h.directory.display()))
        .collect();
    let script = format!("{} && exec sh -c '{command}'", join.join(" && "));
    Command::new("sh").args(["-c", &script]).stderr(std::process::Stdio::null()).spawn().unwrap()
}

#[test]
fn the_group_of_a_process_is_found_in_both_versions_and_in_containers() {
    let v1 = "30 25 0:26 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n31 25 0:27 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct";
    let groups = "5:memory:/a/b\n4:cpu,cpuacct:/\n0::/x";
    let at = |mounts, controller| {
        tree::own(mounts, groups, controller).map(|path| path.to_string_lossy().into_owned())
    };
    assert_eq!(at(v1, Some("memory")).as_deref(), Some("/sys/fs/cgroup/memory/a/b"));
    assert_eq!(at(v1, Some("cpu")).as_deref(), Some("/sys/fs/cgroup/cpu/"));
    assert_eq!((at(v1, Some("pids")), at(v1, None)), (None, None));
    let v2 = "30 25 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw";
    assert_eq!(at(v2, None).as_deref(), Some("/sys/fs/cgroup/x"));
    let container = "30 25 0:26 /docker/1 /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory";
    let own = tree::own(container, "5:memory:/docker/1/in", Some("memory")).unwrap();
    assert_eq!(own, Path::new("/sys/fs/cgroup/memory/in"));
}

#[test]
fn a_group_of_version_2_is_made_where_its_limits_can_be_had() {
    let dir = tempfile::tempdir().unwrap();
    let own = dir.path().join("own");
    fs::create_dir(&own).unwrap();
    for (at, on) in [(dir.path(), "memory pids"), (&own, "")] {
        fs::write(at.join("cgroup.procs"), "").unwrap();
        fs::write(at.join("cgroup.subtree_control"), on).unwrap();
    }
    let controllers = vec![Controller::Memory, Controller::Pids];
    let hierarchy = Hierarchy { v2: true, controllers, directory: PathBuf::new() };
    // A kernel refuses to switch on what is needed below a group with processes; a directory does the same here.
    fs::remove_file(own.join("cgroup.subtree_control")).unwrap();
    fs::create_dir(own.join("cgroup.subtree_control")).unwrap();
    assert_eq!(hierarchy.make(&own, "run").unwrap(), dir.path().join("run"));
    let group = Cgroup {
        places: vec![(Hierarchy { directory: dir.path().join("run"), ..hierarchy }, own)],
        memory_mb: None,
    };
    group.limit(&Sandbox { memory_mb: Some(64), max_processes: Some(9), ..limits() }).unwrap();
    let read = |name: &str| fs::read_to_string(dir.path().join("run").join(name)).unwrap();
    assert_eq!(
        (read("memory.max"), read("memory.swap.max"), read("pids.max")),
        ("67108864".into(), "0".into(), "9".into())
    );
    std::mem::forget(group);
}

#[test]
fn a_process_that_forks_without_end_is_held_and_killed_wherever_it_hides() {
    let Some(group) = group(&Sandbox { max_processes: Some(20), ..limits() }) else { return };
    // Every child of it makes two more until the kernel refuses; the daemon has another session and no environment.
    let bomb = "env -i setsid sh -c \"sleep 61 & sleep 62\" & b() { b & b & sleep 60; }; b";
    let mut child = start(&group, bomb);
    let refused = || {
        let events =
            fs::read_to_string(group.file(Controller::Pids, "pids.events", "pids.events").unwrap()).unwrap();
        !events.contains("max 0")
    };
    let until = Instant::now() + Duration::from_secs(20);
    let mut most = 0;
    while !refused() && Instant::now() < until {
        most = most.max(group.members().len());
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(refused() && most <= 20, "{most}");
    assert!(group.kill() && group.members().is_empty());
    let directories: Vec<PathBuf> = group.places.iter().map(|(h, _)| h.directory.clone()).collect();
    child.wait().unwrap();
    drop(group);
    assert!(directories.iter().all(|directory| !directory.exists()));
}

#[test]
fn who_uses_too_much_memory_is_killed_and_it_is_told() {
    let Some(group) = group(&Sandbox { memory_mb: Some(32), ..limits() }) else { return };
    assert_eq!(group.out_of_memory(), None);
    let status = start(&group, "head -c 200m /dev/zero | tail -c 190m > /dev/null").wait().unwrap();
    assert!(!status.success() || group.out_of_memory().is_some());
    assert_eq!(
        group.out_of_memory().as_deref(),
        Some("the run used more than 32 MiB of memory and was stopped")
    );
}

#[test]
fn processor_time_is_limited() {
    let Some(group) = group(&Sandbox { cpus: Some(0.2), ..limits() }) else { return };
    let mut child = start(&group, "while :; do :; done");
    std::thread::sleep(Duration::from_millis(1500));
    let stat = fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    // A hundred ticks are a second; without a limit it would have one and a half.
    assert!(ticks <= 60, "{ticks}");
    drop(group);
    child.wait().unwrap();
}

#[test]
fn empty_groups_that_nobody_ends_are_swept_and_no_others() {
    let Some(group) = group(&limits()) else { return };
    let place = &group.places[0].0.directory;
    for name in ["oz-run-stale", "oz-run-busy", "other"] {
        fs::create_dir(place.join(name)).unwrap();
    }
    let mut busy = std::process::Command::new("sleep").arg("60").spawn().unwrap();
    fs::write(place.join("oz-run-busy/cgroup.procs"), busy.id().to_string()).unwrap();
    let there = || ["oz-run-stale", "oz-run-busy", "other"].map(|name| place.join(name).exists());
    sweep_in(place, Duration::from_secs(60));
    assert_eq!(there(), [true, true, true], "somebody may be about to use one that is new");
    sweep_in(place, Duration::ZERO);
    assert_eq!(there(), [false, true, true]);
    busy.kill().unwrap();
    busy.wait().unwrap();
    sweep_in(place, Duration::ZERO);
    assert_eq!(there(), [false, false, true]);
    fs::remove_dir(place.join("other")).unwrap();
}
