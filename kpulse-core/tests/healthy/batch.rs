//! Jobs that complete, some after a failure, and a CronJob that runs each minute.

use kpulse_testkit::builders::{Death, PodBuilder, cron_job, job, pod};

use crate::scene::{Scene, at, second};

fn pod_of(job: &str, name: &str) -> PodBuilder {
    pod("shop", name).uid(name).of("Job", job).restart_policy("Never")
}

#[test]
fn a_job_completes_and_is_deleted() {
    let import = || job("shop", "import", at("0s"));
    let runs = pod_of("import", "import-a").created(at("0s"));
    let ended = runs.clone().ended(0, Death::Exit(0), second(40));
    let scene = Scene::default().apply(import().json()).at(second(1)).apply(runs.json());
    let scene = scene.at(second(3)).apply(runs.running(second(3)).json());
    let scene = scene.at(second(40)).apply(ended.json());
    let scene = scene.at(second(41)).apply(import().complete(second(41)).json());
    scene.at(second(141)).delete(import().json()).delete(ended.json()).stays_silent();
}

#[test]
fn a_job_completes_after_one_of_its_pods_failed() {
    let import = || job("shop", "import", at("0s"));
    let (first, other) = (pod_of("import", "import-a"), pod_of("import", "import-b"));
    let scene = Scene::default().apply(import().json()).apply(first.clone().running(at("0s")).json());
    let scene = scene.at(second(30)).apply(first.ended(0, Death::Exit(1), second(30)).json());
    let scene = scene.at(second(31)).apply(import().failed_pods(1).json());
    let scene = scene.at(second(41)).apply(other.clone().running(second(41)).json());
    let scene = scene.at(second(80)).apply(other.ended(0, Death::Exit(0), second(80)).json());
    scene.at(second(81)).apply(import().failed_pods(1).complete(second(81)).json()).stays_silent();
}

#[test]
fn a_job_whose_container_fails_again_and_again_and_then_completes() {
    let import = || job("shop", "import", at("0s"));
    let tries = pod("shop", "import-a").uid("a").of("Job", "import").restart_policy("OnFailure");
    let mut scene = Scene::default().apply(import().json()).apply(tries.clone().running(at("0s")).json());
    for restarts in 0..3 {
        let now = second(10 + 30 * i64::from(restarts));
        scene = scene.at(now).apply(tries.clone().ended(restarts, Death::Exit(1), now).json());
        scene = scene.apply(tries.clone().running_after(restarts + 1, Death::Exit(1), now).json());
    }
    let scene = scene.at(second(120)).apply(tries.ended(3, Death::Exit(0), second(120)).json());
    scene.at(second(121)).apply(import().complete(second(121)).json()).stays_silent();
}

#[test]
fn a_cron_job_runs_each_minute_and_succeeds() {
    let report = || cron_job("shop", "report", "* * * * *", second(-30));
    let mut scene = Scene::default().apply(report().json());
    for minute in 1..=12 {
        let due = second(minute * 60);
        let name = report().job_name(due);
        let runs = job("shop", &name, due).of_cron_job("report");
        let own = pod_of(&name, &format!("{name}-x")).created(due);
        let ended = own.clone().ended(0, Death::Exit(0), second(minute * 60 + 9));
        scene = scene.at(due).apply(runs.json()).apply(report().ran(due).json()).apply(own.running(due).json());
        scene = scene.at(second(minute * 60 + 9)).apply(ended.json());
        let done = second(minute * 60 + 10);
        scene = scene.at(done).apply(runs.complete(done).json()).apply(report().ran(due).succeeded(done).json());
        if minute > 3 {
            let old = report().job_name(second((minute - 3) * 60));
            scene = scene.delete(job("shop", &old, at("0s")).json());
            scene = scene.delete(pod_of(&old, &format!("{old}-x")).json());
        }
    }
    // It is suspended for the night, or its runs would be missed.
    scene.apply(report().ran(second(720)).succeeded(second(730)).suspended().json()).stays_silent();
}
