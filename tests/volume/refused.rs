//! A volume that takes no changes: mounted read-only, or with the permission gone.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    process::Command,
};

use serde_json::{Value, json};

use crate::{
    mount::{Cover, Volume},
    process::Process,
    site::{
        Lines, SEGMENT_LINES, Site, act, are_counted, degraded, is_alive, lines, readiness, sound,
        wipe,
    },
};

#[tokio::test]
async fn it_starts_on_a_read_only_volume_and_heals_when_it_can_be_written() {
    let volume = Volume::mount(24);
    let site = Site::on(volume.path()).await;
    let recorder = site.record().await;
    site.say_and_see(&recorder, 10).await;
    recorder.kill();
    volume.remount("ro");

    let recorder = site.start();
    recorder.wait_for("/api/status", |status| !degraded(status).is_empty()).await;
    is_alive(&recorder).await;
    volume.remount("rw");
    let recorder = recorder.ready().await;
    site.linked().await;
    site.say_and_see(&recorder, 1).await;
    sound(&recorder).await;
    assert_eq!(lines(&recorder).await, Lines::all(1..=11));
    site.log.holds_no_panic();
}

#[tokio::test]
async fn a_directory_that_turns_read_only_is_read_and_written_again_when_it_can_be() {
    let volume = Volume::mount(24);
    let site = Site::on(volume.path()).await;
    let recorder = site.record().await;
    site.say_and_see(&recorder, 2 * SEGMENT_LINES).await;
    let cover = Cover::over(&site.data);
    is_degraded_and_heals(&site, recorder, "read-only", || drop(cover)).await;
}

#[tokio::test]
async fn a_directory_whose_permission_is_gone_is_written_again_when_it_is_back() {
    let site = Site::new().await;
    // A root that the permissions bind.
    let plain = site.command();
    let mut command = Command::new("setpriv");
    command.args(["--bounding-set", "-dac_override,-dac_read_search", "--"]);
    command.arg(plain.get_program()).args(plain.get_args()).env_clear();
    for (name, value) in plain.get_envs() {
        command.env(name, value.expect("no variable is unset"));
    }
    command.stderr(site.log.stderr());
    let recorder = Process::start(command).ready().await;
    site.linked().await;
    site.say_and_see(&recorder, 2 * SEGMENT_LINES).await;
    let set = |mode| fs::set_permissions(&site.data, Permissions::from_mode(mode));
    set(0o500).expect("it is ours");
    let heal = || set(0o700).expect("it is ours");
    is_degraded_and_heals(&site, recorder, "ermission", heal).await;
}

/// As soon as a new file is needed it says that it cannot record and why; it goes on after `heal`.
async fn is_degraded_and_heals(site: &Site, recorder: Process, because: &str, heal: impl FnOnce()) {
    let told = site.say(3 * SEGMENT_LINES).await;
    let says_why = |status: &Value| {
        degraded(status).iter().any(|text| text.as_str().is_some_and(|t| t.contains(because)))
    };
    recorder.wait_for("/api/status", says_why).await;
    is_alive(&recorder).await;
    assert_eq!(readiness(&recorder).await, 200);
    let kept = lines(&recorder).await;
    assert!(kept.count() >= 2 * SEGMENT_LINES, "what is there can be read");
    let (status, refused) = act(&recorder, json!({})).await;
    assert_eq!(status, 507, "{refused}");

    heal();
    sound(&recorder).await;
    site.linked().await;
    site.say_and_see(&recorder, 1).await;
    let kept = lines(&recorder).await;
    are_counted(&recorder, told + 1 - kept.count()).await;
    let epoch = wipe(&recorder).await;
    recorder.kill();

    let recorder = site.record().await;
    assert_eq!(recorder.get("/api/status").await["journal"]["epoch"], epoch);
    site.log.holds_no_panic();
}
