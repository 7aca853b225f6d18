//! However the starting process ends, nothing is left of the server.

use std::os::unix::process::CommandExt;
use std::sync::mpsc;
use std::thread;

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::{Pid, getpgid};

use crate::support::{
    Scratch, again, again_in, builder, directory, hear, processes, second_role, serve_until_the_end, shared, tell,
    this_executable, wait_until_gone,
};

fn raw(pid: u32) -> Pid {
    Pid::from_raw(pid.try_into().expect("process ids fit"))
}

#[test]
fn a_drop_removes_process_and_directory() {
    let server = builder().start().expect("a server starts");
    let directory = directory(&server);
    let before = processes(&directory);
    assert!(before.contains(&server.pid()) && before.len() == 2, "the server and its supervisor: {before:?}");
    drop(server);
    wait_until_gone(&directory);
}

#[test]
fn a_drop_removes_a_paused_server() {
    let server = builder().start().expect("a server starts");
    let directory = directory(&server);
    server.pause();
    drop(server);
    wait_until_gone(&directory);
}

#[test]
fn a_panic_removes_it() {
    let (send, receive) = mpsc::channel();
    let panicked = thread::spawn(move || {
        let server = builder().start().expect("a server starts");
        send.send(directory(&server)).expect("the test waits for it");
        panic!("on purpose, with a server");
    });
    panicked.join().expect_err("it panicked");
    wait_until_gone(&receive.recv().expect("the server had started"));
}

#[test]
fn kill_9_of_the_starting_process_removes_it() {
    if second_role() {
        return serve_until_the_end();
    }
    let scratch = Scratch::new("kill-9");
    let test = "death::kill_9_of_the_starting_process_removes_it";
    let mut child = again_in(scratch.path(), test).spawn().expect("runs");
    let (directory, _output) = hear(&mut child);
    assert_eq!(processes(&directory).len(), 2, "the server and its supervisor");
    child.kill().and_then(|()| child.wait()).expect("it can be killed");
    wait_until_gone(&directory);
}

#[test]
fn ctrl_c_ends_the_starting_process_and_the_supervisor_the_rest() {
    if second_role() {
        return serve_until_the_end();
    }
    let scratch = Scratch::new("ctrl-c");
    let test = "death::ctrl_c_ends_the_starting_process_and_the_supervisor_the_rest";
    let mut child = again_in(scratch.path(), test).process_group(0).spawn().expect("runs");
    let (directory, _output) = hear(&mut child);
    let groups: Vec<_> = processes(&directory).into_iter().map(|pid| getpgid(Some(raw(pid)))).collect();
    assert!(groups.len() == 2 && !groups.contains(&Ok(raw(child.id()))), "{groups:?}");
    // What a terminal does: the signal goes to every process of the group in the foreground.
    killpg(raw(child.id()), Signal::SIGINT).expect("the group exists");
    child.wait().expect("it ends");
    wait_until_gone(&directory);
}

#[test]
fn the_shared_server_goes_with_a_process_that_ends_normally() {
    if second_role() {
        assert_eq!(shared().pid(), shared().pid(), "there is one");
        return tell(shared());
    }
    let test = "death::the_shared_server_goes_with_a_process_that_ends_normally";
    let mut child = again(&this_executable(), test).spawn().expect("runs");
    let (directory, _output) = hear(&mut child);
    assert!(child.wait().expect("it ends").success());
    wait_until_gone(&directory);
}

/// A pipe from `cargo test` ends when nobody holds its other end any more.
#[cfg(target_os = "linux")]
#[test]
fn nobody_who_reads_our_output_waits_for_the_server() {
    if second_role() {
        return serve_until_the_end();
    }
    let scratch = Scratch::new("output");
    let test = "death::nobody_who_reads_our_output_waits_for_the_server";
    let mut child = again_in(scratch.path(), test).spawn().expect("runs");
    let (directory, _output) = hear(&mut child);
    let open = |pid: u32| {
        let entries = std::fs::read_dir(format!("/proc/{pid}/fd")).expect("it runs and is ours").flatten();
        entries.filter_map(|entry| std::fs::read_link(entry.path()).ok()).collect::<Vec<_>>()
    };
    let ours = std::fs::read_link(format!("/proc/{}/fd/1", child.id())).expect("it runs and is ours");
    assert!(open(child.id()).contains(&ours));
    for pid in processes(&directory) {
        assert!(!open(pid).contains(&ours), "process {pid} holds {}", ours.display());
    }
    drop(child.stdin.take());
    assert!(child.wait().expect("it ends").success());
}

#[test]
fn a_drop_removes_it_although_the_supervisor_was_killed() {
    let server = builder().start().expect("a server starts");
    let directory = directory(&server);
    kill_supervisor(&directory, server.pid());
    drop(server);
    wait_until_gone(&directory);
}

#[test]
fn a_restart_brings_a_killed_supervisor_back() {
    let server = builder().start().expect("a server starts");
    let directory = directory(&server);
    kill_supervisor(&directory, server.pid());
    server.restart().expect("it comes up again");
    assert_eq!(processes(&directory).len(), 2, "the server and its supervisor");
}

#[test]
fn the_next_start_removes_what_a_crash_of_both_left_behind() {
    if second_role() {
        return serve_until_the_end();
    }
    let scratch = Scratch::new("sweep");
    let test = "death::the_next_start_removes_what_a_crash_of_both_left_behind";
    let mut child = again_in(scratch.path(), test).spawn().expect("runs");
    let (left, _output) = hear(&mut child);
    let living = builder().directory(scratch.path()).start().expect("a server starts");
    assert_eq!(processes(&left).len(), 2, "while its owner lives, nobody touches it");
    let server =
        std::fs::read_to_string(left.join("server.pid")).expect("it is written").trim().parse().expect("a number");
    kill_supervisor(&left, server);
    child.kill().and_then(|()| child.wait()).expect("it can be killed");
    assert_eq!(processes(&left), [server].into(), "now only the server is left, and nobody watches it");
    let next = builder().directory(scratch.path()).start().expect("a server starts");
    wait_until_gone(&left);
    assert!(living.conn().is_ok() && next.conn().is_ok());
}

/// Kills the supervisor of a directory and waits until it is gone.
fn kill_supervisor(directory: &std::path::Path, server: u32) {
    let others: Vec<_> = processes(directory).into_iter().filter(|pid| *pid != server).collect();
    assert_eq!(others.len(), 1, "one supervisor");
    kill(raw(others[0]), Signal::SIGKILL).expect("it runs");
    while processes(directory).contains(&others[0]) {
        thread::yield_now();
    }
}
