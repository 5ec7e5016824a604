//! What each monitor makes people hear, played through the engine on virtual time.

#![expect(clippy::unwrap_used, reason = "clippy takes what tests share for production code")]

mod blindness;
mod cron_runs;
mod cronjob_missed;
mod daemonset_unscheduled;
mod hpa_at_max;
mod job_failed;
mod node_conditions;
mod node_disk;
mod pdb_blocked;
mod pod_crashes;
mod pod_restarts;
mod pod_stuck_terminating;
mod pvc_pending;
mod pvc_usage;
mod rollout_stuck;
mod rules;
mod surroundings;
mod warning_events;
