//! Perfect negotiation as decisions (W3C WebRTC 1.0, section 10.7).
//!
//! Both ends may offer at any time. If offers cross, the impolite end ignores the other's and the
//! polite end takes its own back. Nothing here touches a connection.

/// Which kind of description arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DescriptionKind {
    /// It asks for an answer.
    Offer,
    /// It answers.
    Answer,
}

/// What to do with a description that arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Apply it.
    Apply,
    /// Roll back the own offer first, apply it, and offer again after answering.
    RollBackAndApply,
    /// Forget it: the other end will take it back.
    Ignore,
}

/// One end's negotiation.
#[derive(Clone, Debug)]
pub struct Negotiation {
    polite: bool,
    offering: bool,
    ignored_offer: bool,
    wanted: bool,
}

impl Negotiation {
    /// An end that has not negotiated; exactly one of two ends is polite.
    pub fn new(polite: bool) -> Self {
        Negotiation {
            polite,
            offering: false,
            ignored_offer: false,
            wanted: false,
        }
    }

    /// Negotiation is needed; `true` if an offer is to be made now, otherwise it is made when the
    /// one that is under way has ended.
    pub fn needed(&mut self) -> bool {
        self.wanted = self.offering;
        !std::mem::replace(&mut self.offering, true)
    }

    /// A description arrived.
    pub fn received(&mut self, kind: DescriptionKind) -> Decision {
        match kind {
            DescriptionKind::Answer if self.offering => Decision::Apply,
            // It answers an offer that was taken back.
            DescriptionKind::Answer => Decision::Ignore,
            DescriptionKind::Offer => self.received_offer(),
        }
    }

    fn received_offer(&mut self) -> Decision {
        self.ignored_offer = self.offering && !self.polite;
        if self.ignored_offer {
            return Decision::Ignore;
        }
        if !self.offering {
            return Decision::Apply;
        }
        self.offering = false;
        self.wanted = true;
        Decision::RollBackAndApply
    }

    /// An answer was applied, or sent; `true` if negotiation is needed again.
    pub fn completed(&mut self) -> bool {
        self.offering = false;
        std::mem::take(&mut self.wanted)
    }

    /// Whether a candidate that cannot be added is no error: it belongs to an ignored offer.
    pub fn candidate_may_fail(&self) -> bool {
        self.ignored_offer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_glare_an_offer_is_applied_and_completed() {
        let (mut a, mut b) = (Negotiation::new(false), Negotiation::new(true));
        assert!(a.needed());
        assert_eq!(b.received(DescriptionKind::Offer), Decision::Apply);
        assert!(!b.completed());
        assert_eq!(a.received(DescriptionKind::Answer), Decision::Apply);
        assert!(!a.completed());
    }

    #[test]
    fn under_glare_the_polite_end_yields_and_offers_again() {
        let (mut impolite, mut polite) = (Negotiation::new(false), Negotiation::new(true));
        assert!(impolite.needed());
        assert!(polite.needed());
        assert_eq!(impolite.received(DescriptionKind::Offer), Decision::Ignore);
        assert!(impolite.candidate_may_fail());
        assert_eq!(
            polite.received(DescriptionKind::Offer),
            Decision::RollBackAndApply
        );
        // It has answered; its own offer is due now.
        assert!(polite.completed());
        assert!(polite.needed());
        assert_eq!(impolite.received(DescriptionKind::Answer), Decision::Apply);
        assert!(!impolite.completed());
        assert_eq!(impolite.received(DescriptionKind::Offer), Decision::Apply);
        assert!(!impolite.candidate_may_fail());
    }

    #[test]
    fn needs_during_an_offer_wait_for_its_end() {
        let mut end = Negotiation::new(false);
        assert!(end.needed());
        assert!(!end.needed());
        assert!(end.completed());
        assert!(end.needed());
        assert!(!end.completed());
    }

    #[test]
    fn an_answer_to_an_offer_that_was_taken_back_is_ignored() {
        let mut polite = Negotiation::new(true);
        assert!(polite.needed());
        polite.received(DescriptionKind::Offer);
        assert_eq!(polite.received(DescriptionKind::Answer), Decision::Ignore);
    }
}
