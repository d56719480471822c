//! Reminders: before the end, on the last day, daily while late; once each, whatever is missed.

use lockerd::service::error::Code;
use lockerd::store::{Lane, StoreError, Trouble};
use serde_json::json;

use super::{DAY_MS, HOUR_MS, bag, cases, detect, job, mails, site, site_with, step, told};
use crate::support::inside::Inside;

fn remind(site: &Inside) -> usize {
    site.run(site.services.remind()).expect("it works")
}

#[test]
fn each_reminder_comes_on_its_day_and_once() {
    let site = site();
    site.student(0).rent(1);
    // What was given back reminds of nothing.
    site.student(1).rent(2);
    site.student(1).give_back(2);
    assert_eq!((remind(&site), remind(&site)), (1, 0), "seven days before the end");
    assert_eq!(told(&site, "reminder")["days_left"], 7);
    for (days, count, left) in [(1, 0, 7), (4, 0, 7), (1, 1, 1), (1, 1, 0)] {
        site.pass(days * DAY_MS);
        assert_eq!((remind(&site), remind(&site)), (count, 0), "{left} days left");
        assert_eq!(told(&site, "reminder")["days_left"], left);
    }
    // The day behind the last one: noticed, which is told, and reminded of from the next day on.
    site.pass(DAY_MS);
    assert_eq!((remind(&site), detect(&site), remind(&site)), (0, 1, 0));
    site.pass(DAY_MS);
    assert_eq!((detect(&site), remind(&site), remind(&site)), (0, 1, 0));
    let said = told(&site, "overdue");
    assert_eq!((&said["late_days"], &said["may_open"]), (&json!(2), &json!(true)), "{said}");
    assert_eq!(said["seal_on"], "2026-09-03");
    site.pass(DAY_MS);
    assert_eq!((detect(&site), remind(&site)), (1, 1), "sealed, and reminded");
    assert_eq!(told(&site, "overdue")["may_open"], false);
    // Not any more when staff have emptied it.
    let staff = site.account("STAFF1");
    let case = cases(&staff, "")["cases"][0].clone();
    step(&staff, &case, "collect", &bag(None)).expect(200);
    site.pass(DAY_MS);
    assert_eq!(remind(&site), 0);
    assert_eq!((mails(&site, "reminder"), mails(&site, "overdue")), (3, 2));
    site.demand_clean();
}

#[test]
fn a_reminder_that_was_missed_is_made_up_for_unless_a_later_one_is_due() {
    let site = site();
    site.student(0).rent(1);
    site.pass(3 * DAY_MS);
    assert_eq!((remind(&site), told(&site, "reminder")["days_left"].as_i64()), (1, Some(4)));
    site.pass(4 * DAY_MS);
    assert_eq!((remind(&site), told(&site, "reminder")["days_left"].as_i64()), (1, Some(0)));
    assert_eq!(mails(&site, "reminder"), 2, "that of the eve is not sent behind the last day's");
    site.demand_clean();
}

#[test]
fn the_job_runs_at_nine_and_once_for_all_days_that_were_missed() {
    let site = site();
    site.student(0).rent(1);
    let index = job("remind");
    let run = site.run(site.services.run_due_job(index)).expect("at the start");
    assert_eq!(run.result, Ok(1));
    // 08:59 of the eve; nothing is due before nine but that of a day that was missed.
    site.pass(6 * DAY_MS - HOUR_MS - 60_000);
    let run = site.run(site.services.run_due_job(index)).expect("days were missed");
    assert_eq!(run.result, Ok(1), "the eve's, a minute early");
    site.pass(60_000);
    let run = site.run(site.services.run_due_job(index)).expect("nine o'clock");
    assert_eq!(run.result, Ok(0), "it was sent today");
    assert_eq!(site.run(site.services.run_due_job(index)), None);
    let again = site.again();
    again.run(again.services.recall_jobs()).expect("readable");
    again.run(again.services.run_due_job(index));
    assert_eq!(mails(&again, "reminder"), 2, "a restart repeats nothing");
    again.demand_clean();
}

#[test]
fn what_a_bank_switched_off_is_not_sent() {
    let quiet = json!({
        "reminder_days": [], "remind_on_last_day": false, "remind_while_late": false,
    });
    let site = site_with(&quiet);
    site.student(0).rent(1);
    for _ in 0..10 {
        assert_eq!(remind(&site), 0);
        site.pass(DAY_MS);
        detect(&site);
    }
    assert_eq!((mails(&site, "overdue_detected"), mails(&site, "overdue")), (1, 0));
    site.demand_clean();
}

#[test]
fn who_rents_the_locker_on_is_not_asked_to_empty_it() {
    let site = site();
    site.student(0).rent(1);
    site.student(1).rent(2);
    assert_eq!(remind(&site), 2);
    site.pass(DAY_MS);
    site.student(0).rent(1);
    site.pass(5 * DAY_MS);
    assert_eq!((remind(&site), told(&site, "reminder")["locker_id"].as_i64()), (1, Some(2)));
    site.pass(DAY_MS);
    assert_eq!((remind(&site), told(&site, "reminder")["locker_id"].as_i64()), (1, Some(2)));
    site.demand_clean();
}

#[test]
fn a_run_that_was_cut_off_is_due_again_the_same_day() {
    let site = site();
    site.student(0).rent(1);
    let index = job("remind");
    let run = |site: &Inside| site.run(site.services.run_due_job(index)).map(|run| run.result);
    // The database fails when its hour comes.
    let broken = site
        .services
        .store
        .write::<(), StoreError, _>(Lane::Change, |_| Err(StoreError::Degraded(Trouble::Full)));
    site.run(broken).expect_err("it is full");
    let failed = run(&site).expect("it is due");
    assert!(failed.as_ref().is_err_and(|why| why.starts_with("storage_full")), "{failed:?}");
    // Nobody vouches for the time in the middle of it.
    let site = site.again();
    site.clock.distrust();
    let error = site.run(site.services.remind()).expect_err("it is cut off");
    assert_eq!(error.code, Code::ClockUntrusted);
    site.clock.trust();
    // The program ends.
    site.services.stopping.cancel();
    let failed = run(&site).expect("it is due");
    assert!(failed.is_err(), "{failed:?}");
    let again = site.again();
    again.run(again.services.recall_jobs()).expect("readable");
    assert_eq!(run(&again), Some(Ok(1)), "still today");
    assert_eq!(run(&again), None);
    assert_eq!(mails(&again, "reminder"), 1);
    again.demand_clean();
}
