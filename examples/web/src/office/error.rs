//! Why the office did not do what was asked; whatever a unit had done by then is rolled back.

use unit_of_work::Error;

use super::rules::Broken;

#[derive(Debug, thiserror::Error)]
pub(crate) enum OfficeError {
    #[error("there is no event {0}")]
    NoEvent(u64),
    #[error("there is no hold {0}")]
    NoHold(u64),
    #[error("there is no purchase {0}")]
    NoPurchase(u64),
    #[error(transparent)]
    Broken(#[from] Broken),
    #[error("hold {0} is over: its seats may be somebody else's by now")]
    Over(u64),
    #[error("hold {hold} is bought already, by purchase {purchase}")]
    Bought { hold: u64, purchase: u64 },
    #[error("this Idempotency-Key belongs to purchase {0}, of another hold")]
    KeyInUse(u64),
    #[error("purchase {0} is being paid; it can be cancelled once the payment provider has answered")]
    BeingPaid(u64),
    #[error("purchase {0} was refused by the payment provider: there is nothing to cancel")]
    Refused(u64),
    #[error("{0} is on the guest list already")]
    Invited(String),
    #[error(transparent)]
    Work(#[from] Error),
}

/// `ER_DUP_ENTRY`: only the statement failed, the transaction goes on.
pub(super) const DUPLICATE_KEY: u16 = 1062;
