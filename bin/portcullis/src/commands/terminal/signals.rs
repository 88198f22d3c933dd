//! SIGINT and SIGTERM end a box in order: the launcher passes them on to the platform, the platform
//! asks its client to end, and makes it; then the chip goes off.

use std::process::exit;
use std::time::Duration;

use portcullis_terminal::StopRequest;
use rustix::process::{Pid, Signal, kill_process};

/// After a signal the platform has ended by then, in order or not.
const STOP_WITHIN: Duration = Duration::from_millis(950);
/// And then the chip.
const CHIP_WITHIN: Duration = Duration::from_millis(1500);

/// For the platform: the request comes with the first signal.
pub(super) fn end_the_box() -> StopRequest {
    let stop = StopRequest::default();
    let asked = stop.clone();
    on_signal(move || {
        asked.request();
        std::thread::sleep(STOP_WITHIN);
        // A centre that does not answer, an output that takes nothing.
        eprintln!("portcullis: the box did not end in time and was ended");
        exit(1);
    });
    stop
}

/// For the launcher: what it is told, the platform is told. `chip` is the process of the chip,
/// whose one child the platform is.
pub(super) fn pass_on(chip: u32) {
    on_signal(move || {
        for platform in children(chip) {
            // Gone already: then the chip goes too.
            let _ = kill_process(platform, Signal::TERM);
        }
        std::thread::sleep(CHIP_WITHIN);
        if let Some(chip) = pid(chip) {
            let _ = kill_process(chip, Signal::KILL);
        }
    });
}

fn children(process: u32) -> Vec<Pid> {
    let tasks = std::fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten();
    let of_task = tasks.flatten().filter_map(|task| {
        let children = std::fs::read_to_string(task.path().join("children")).ok()?;
        Some(children.split_whitespace().filter_map(|id| pid(id.parse().ok()?)).collect::<Vec<_>>())
    });
    of_task.flatten().collect()
}

fn pid(id: u32) -> Option<Pid> {
    i32::try_from(id).ok().and_then(Pid::from_raw)
}

/// Does this once, when the first of the signals comes.
fn on_signal(act: impl FnOnce() + Send + 'static) {
    use tokio::signal::unix::{SignalKind, signal};
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    // Without it a signal ends the process at once, as signals do.
    let Ok(runtime) = runtime else { return };
    let signals = {
        let _in = runtime.enter();
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    };
    let (Ok(mut interrupt), Ok(mut terminate)) = signals else { return };
    std::thread::spawn(move || {
        runtime.block_on(async {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        });
        act();
    });
}
