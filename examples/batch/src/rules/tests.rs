//! Each rule on its own, and the order in which they are asked.

use super::{Account, Books, Directory, FEES, LARGEST, Payment, Refusal, fee};

fn books() -> (Books, Directory) {
    let account = |balance, limit| Account { balance, spent: 0, limit };
    let accounts = [(1, account(1000, 600)), (2, account(50, 600)), (FEES, account(9000, 9000))];
    (accounts.into_iter().collect(), [FEES, 1, 2, 3].into_iter().collect())
}

fn pay(books: &mut (Books, Directory), from: u64, to: u64, amount: u64) -> Result<u64, Refusal> {
    books.0.pay(&Payment { id: 1, from, to, amount }, &books.1)
}

#[test]
fn a_fee_is_ten_cents_and_a_thousandth_rounded_up_and_five_at_most() {
    assert_eq!([1, 1000, 1001, 489_000, 490_000, 490_001, LARGEST].map(fee), [11, 11, 12, 499, 500, 500, 500]);
}

#[test]
fn each_payment_is_judged_by_what_the_ones_before_it_left() {
    let mut books = books();
    assert_eq!(pay(&mut books, 1, 2, 400), Ok(11));
    assert_eq!(pay(&mut books, 1, 2, 201), Err(Refusal::Limit { account: 1, left: 200 }));
    assert_eq!(pay(&mut books, 1, 2, 200), Ok(11));
    assert_eq!(pay(&mut books, 1, 2, 1), Err(Refusal::Limit { account: 1, left: 0 }));
    assert_eq!(
        pay(&mut books, 2, 1, 40),
        Err(Refusal::Insufficient { account: 2, balance: 50, needed: 51 }),
        "what account 2 received tonight is not there yet"
    );
    assert_eq!(pay(&mut books, 2, 1, 39), Ok(11), "what was refused took nothing");
}

#[test]
fn what_is_no_payment_is_refused_before_anybody_pays() {
    let mut books = books();
    assert_eq!(pay(&mut books, 1, 2, 0), Err(Refusal::NoAmount));
    assert_eq!(pay(&mut books, 1, 2, LARGEST + 1), Err(Refusal::TooLarge(LARGEST + 1)));
    assert_eq!(pay(&mut books, 1, 1, 5), Err(Refusal::SameAccount));
    assert_eq!(pay(&mut books, 8, 9, 5), Err(Refusal::NoAccount(8)));
    assert_eq!(pay(&mut books, 1, 9, 5), Err(Refusal::NoAccount(9)));
    assert_eq!(pay(&mut books, FEES, 1, 5), Err(Refusal::NoAccount(FEES)), "nobody pays from the fees");
    assert_eq!(pay(&mut books, 1, FEES, 5), Err(Refusal::NoAccount(FEES)));
    assert_eq!(pay(&mut books, 1, 2, 600), Ok(11), "nothing was taken for any of them");
}
