//! Lifetimes of a TURN server in virtual time, each from both sides.

mod turn_support;

use std::time::Duration;

use topologies::infra::turn::{ExpiringUsers, Issued, SharedSecret, TurnConfig};
use turn_support::*;

/// Just after the time: a lifetime includes its last nanosecond.
const AFTER: Duration = Duration::from_nanos(1);

#[test]
fn an_allocation_ends_after_its_lifetime() {
    // RFC 8656, 3.2: 600 s, and an expired allocation frees its relayed address.
    let mut bench = Bench::new(&config());
    assert_eq!(bench.core.wait_until(), None);
    bench.allocated();
    let wake = bench.core.wait_until().unwrap();
    assert!(wake <= seconds(600) + AFTER);
    bench.core.poll(seconds(600), &mut bench.world);
    assert!(bench.world.open.contains(&relay()));
    bench.core.poll(seconds(600) + AFTER, &mut bench.world);
    assert!(bench.world.open.is_empty());
    assert_eq!(bench.core.wait_until(), None);
    assert!(bench.core.relays().is_empty());
}

#[test]
fn polling_at_the_wait_makes_progress() {
    // A driver that polls exactly when asked must reach the end of the allocation (600 s) in a
    // bounded number of polls: its own expiry and the permission's (300 s) are all there is.
    let mut bench = Bench::new(&config());
    let credentials = bench.allocated();
    bench.request(client(), &create_permission(&credentials, peer()));
    let mut polls = 0;
    while let Some(wake) = bench.core.wait_until() {
        polls += 1;
        assert!(polls <= 2, "still waiting at {wake:?}");
        bench.core.poll(wake, &mut bench.world);
    }
    assert_eq!(polls, 2);
    assert!(bench.world.open.is_empty());
}

#[test]
fn a_refresh_extends_and_deletes() {
    let mut bench = Bench::new(&config());
    let credentials = bench.allocated();
    bench.now = seconds(500);
    let reply = bench.request(client(), &refresh(&credentials, Some(700)));
    assert_eq!((reply.error(), reply.lifetime()), (None, 700));
    bench.core.poll(seconds(1200), &mut bench.world);
    assert!(bench.world.open.contains(&relay()));

    // RFC 8656, 7.2 and 8.2: requests for more than the maximum, an hour, get the maximum.
    bench.now = seconds(1200);
    assert_eq!(
        bench
            .request(client(), &refresh(&credentials, Some(u32::MAX)))
            .lifetime(),
        3600
    );

    let reply = bench.request(client(), &refresh(&credentials, Some(0)));
    assert_eq!((reply.error(), reply.lifetime()), (None, 0));
    assert!(bench.world.open.is_empty());
    assert_eq!(
        bench
            .request(client(), &refresh(&credentials, None))
            .error(),
        Some(437)
    );
}

#[test]
fn an_expired_allocation_cannot_be_refreshed_although_nobody_polled() {
    let mut bench = Bench::new(&config());
    let credentials = bench.allocated();
    bench.now = seconds(600) + AFTER;
    assert_eq!(
        bench
            .request(client(), &refresh(&credentials, None))
            .error(),
        Some(437)
    );
    assert!(bench.world.open.is_empty());
}

#[test]
fn a_permission_ends_after_five_minutes_and_a_channel_with_it() {
    // RFC 8656, 9: 300 s. ChannelBind also makes the permission; the binding lives 600 s, so a
    // CreatePermission alone brings the channel back (RFC 8656, 12).
    let mut bench = Bench::new(&config());
    let credentials = bench.allocated();
    bench.request(client(), &channel_bind(&credentials, CHANNEL, peer()));
    let data = channel_data(CHANNEL, b"x");
    bench.now = seconds(300);
    assert_eq!(bench.deliver(client(), server(), &data).len(), 1);
    assert_eq!(bench.deliver(peer(), relay(), b"x").len(), 1);
    bench.now = seconds(300) + AFTER;
    assert_eq!(bench.deliver(client(), server(), &data), []);
    assert_eq!(bench.deliver(peer(), relay(), b"x"), []);
    bench.request(client(), &create_permission(&credentials, peer()));
    assert_eq!(bench.deliver(client(), server(), &data).len(), 1);
}

#[test]
fn a_nonce_goes_stale_after_its_lifetime() {
    // RFC 8489, 9.2.4: 438 with a new nonce, with which the request succeeds.
    let mut bench = Bench::new(&config().with_nonce_lifetime(seconds(100)));
    let credentials = bench.allocated();
    bench.now = seconds(100);
    assert_eq!(
        bench
            .request(client(), &refresh(&credentials, None))
            .error(),
        None
    );
    bench.now = seconds(100) + AFTER;
    let stale = bench.request(client(), &refresh(&credentials, None));
    assert_eq!(stale.error(), Some(438));
    let renewed = Credentials::from_challenge(&stale);
    assert_ne!(renewed.nonce, credentials.nonce);
    assert_eq!(
        bench.request(client(), &refresh(&renewed, None)).error(),
        None
    );
}

/// Unix time of the server's start, in the tests of credentials that expire.
const STARTED: Duration = Duration::from_secs(1_767_225_600);

/// A server whose users expire, and credentials that are good for its first minute.
fn expiring(every_request: bool) -> (Bench, Issued) {
    let secret = SharedSecret::new("north");
    let issued = secret.issue("alice", STARTED + seconds(60));
    let users = ExpiringUsers {
        secret,
        started: STARTED,
        every_request,
    };
    let config = TurnConfig::new(REALM).with_expiring_users(users);
    (Bench::new(&config), issued)
}

/// The credentials that a client has after a challenge.
fn challenged(bench: &mut Bench, issued: &Issued) -> Credentials {
    let challenge = bench.request(client(), &allocate(None));
    Credentials {
        user: issued.username.clone(),
        password: issued.password.clone(),
        ..Credentials::from_challenge(&challenge)
    }
}

#[test]
fn expired_credentials_allocate_nothing() {
    // draft-uberti-behave-turn-rest-00, 2.2: good until the time in the name; RFC 8489, 9.2.4: 401.
    for (late, error) in [(Duration::ZERO, None), (AFTER, Some(401))] {
        let (mut bench, issued) = expiring(false);
        bench.now = seconds(60) + late;
        let credentials = challenged(&mut bench, &issued);
        let reply = bench.request(client(), &allocate(Some(&credentials)));
        assert_eq!(reply.error(), error, "{late:?}");
        assert_eq!(bench.world.open.len(), usize::from(error.is_none()));
    }
}

#[test]
fn a_name_that_is_made_to_last_longer_has_another_password() {
    let (mut bench, issued) = expiring(false);
    let mut credentials = challenged(&mut bench, &issued);
    credentials.user = format!("{}:alice", STARTED.as_secs() + 3_600);
    let reply = bench.request(client(), &allocate(Some(&credentials)));
    assert_eq!(reply.error(), Some(401));
}

#[test]
fn whether_an_allocation_outlives_its_credentials_is_the_servers_choice() {
    for (every_request, error) in [(false, None), (true, Some(401))] {
        let (mut bench, issued) = expiring(every_request);
        let credentials = challenged(&mut bench, &issued);
        let reply = bench.request(client(), &allocate(Some(&credentials)));
        assert_eq!(reply.error(), None);
        bench.now = seconds(60) + AFTER;
        for request in [
            refresh(&credentials, None),
            create_permission(&credentials, peer()),
            channel_bind(&credentials, CHANNEL, peer()),
        ] {
            assert_eq!(bench.request(client(), &request).error(), error);
        }
        // Either way, other credentials are none for this allocation (RFC 8656, 5): 441.
        let renewed = SharedSecret::new("north").issue("alice", STARTED + seconds(600));
        let other = Credentials {
            user: renewed.username,
            password: renewed.password,
            ..credentials
        };
        let reply = bench.request(client(), &refresh(&other, None));
        assert_eq!(reply.error(), Some(441));
    }
}
