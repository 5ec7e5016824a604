//! What summaries of kubelets say of other objects.

use jiff::Timestamp;

use super::Engine;
use crate::Findings;
use crate::facts::SummaryFacts;

impl Engine {
    pub(super) fn survey(&mut self, now: Timestamp, summary: &SummaryFacts) {
        let mut said = Vec::new();
        self.settings.monitors.survey(summary, |object, monitor, findings| said.push((object, monitor, findings)));
        for (object, monitor, mut findings) in said {
            if self.surroundings.is_terminating(&object.namespace) {
                findings = Findings { all_unknown: true, ..Findings::default() };
            }
            self.tracker.report(now, &object, monitor, findings);
        }
    }
}
