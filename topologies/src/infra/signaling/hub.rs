//! The rooms of a server: who is where, and who is told what. No I/O and no time.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::issuer::Issuer;
use super::name::{Name, Token};
use super::outbox::{Closed, Outbox, PushError};
use super::protocol::{
    ClientMessage, ErrorCode, LeaveReason, Participant, ServerMessage, Session, Signal, VERSION,
};

/// Numbers connections in the order of their coming.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ConnectionId(u64);

/// Why a client's connection is to be closed, or that it asked for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    Left,
    Refused(ErrorCode, String),
}

/// All rooms and connections.
#[derive(Debug)]
pub(super) struct Hub {
    max_connections: usize,
    max_participants: usize,
    next: u64,
    connections: BTreeMap<ConnectionId, Connection>,
    rooms: BTreeMap<Name, Vec<Member>>,
    issuer: Option<Arc<dyn Issuer>>,
}

#[derive(Debug)]
struct Connection {
    outbox: Outbox,
    seat: Option<Seat>,
}

#[derive(Clone, Debug)]
struct Seat {
    room: Name,
    participant: Participant,
}

#[derive(Debug)]
struct Member {
    participant: Participant,
    token: Option<Token>,
    connection: ConnectionId,
}

impl Hub {
    pub(super) fn new(max_connections: usize, max_participants: usize) -> Self {
        Hub {
            max_connections,
            max_participants,
            next: 0,
            connections: BTreeMap::new(),
            rooms: BTreeMap::new(),
            issuer: None,
        }
    }

    /// From now on whoever joins gets TURN credentials.
    pub(super) fn set_issuer(&mut self, issuer: Arc<dyn Issuer>) {
        self.issuer = Some(issuer);
    }

    /// A new connection, or `None` if there are too many.
    pub(super) fn connect(&mut self, outbox: Outbox) -> Option<ConnectionId> {
        if self.connections.len() >= self.max_connections {
            return None;
        }
        let id = ConnectionId(self.next);
        self.next += 1;
        self.connections
            .insert(id, Connection { outbox, seat: None });
        Some(id)
    }

    /// Whether the connection has joined a room, or is gone.
    pub(super) fn is_settled(&self, id: ConnectionId) -> bool {
        self.connections
            .get(&id)
            .is_none_or(|connection| connection.seat.is_some())
    }

    /// Handles a message. One that comes after the connection was removed is ignored.
    pub(super) fn handle(&mut self, id: ConnectionId, message: ClientMessage) -> Result<(), Stop> {
        let Some(connection) = self.connections.get(&id) else {
            return Ok(());
        };
        let seat = connection.seat.clone();
        match (message, seat) {
            (ClientMessage::Leave {}, _) => Err(Stop::Left),
            (
                ClientMessage::Join {
                    room,
                    name,
                    session,
                    token,
                    ..
                },
                None,
            ) => self.join(id, room, Participant { name, session }, token),
            (ClientMessage::Join { .. }, Some(_)) => refuse(
                ErrorCode::AlreadyJoined,
                "this connection is in a room already",
            ),
            (ClientMessage::Renew {}, Some(seat)) => {
                self.renew(id, &seat.participant.name);
                Ok(())
            }
            (_, None) => refuse(ErrorCode::NotJoined, "join comes first"),
            (ClientMessage::Offer { to, session, sdp }, Some(seat)) => {
                self.forward(id, seat, to, session, Signal::Offer(sdp))
            }
            (ClientMessage::Answer { to, session, sdp }, Some(seat)) => {
                self.forward(id, seat, to, session, Signal::Answer(sdp))
            }
            (
                ClientMessage::Candidate {
                    to,
                    session,
                    candidate,
                },
                Some(seat),
            ) => self.forward(id, seat, to, session, Signal::Candidate(candidate)),
        }
    }

    /// Removes a connection, and tells its room.
    pub(super) fn disconnect(&mut self, id: ConnectionId, reason: LeaveReason) {
        let Some(connection) = self.connections.remove(&id) else {
            return;
        };
        let Some(Seat { room, participant }) = connection.seat else {
            return;
        };
        let members = self.rooms.get_mut(&room).expect("a seat is in a room");
        members.retain(|member| member.connection != id);
        if members.is_empty() {
            self.rooms.remove(&room);
            return;
        }
        let Participant { name, session } = participant;
        self.tell_room(
            &room,
            None,
            &ServerMessage::PeerLeft {
                name,
                session,
                reason,
            },
        );
    }

    fn join(
        &mut self,
        id: ConnectionId,
        room: Name,
        you: Participant,
        token: Option<Token>,
    ) -> Result<(), Stop> {
        self.make_place(&room, &you.name, token.as_ref())?;
        let members = self.rooms.entry(room.clone()).or_default();
        let participants = members
            .iter()
            .map(|member| member.participant.clone())
            .collect();
        members.push(Member {
            participant: you.clone(),
            token,
            connection: id,
        });
        let seat = Seat {
            room: room.clone(),
            participant: you.clone(),
        };
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.seat = Some(seat);
        }
        let Participant { name, session } = you.clone();
        let turn = self.issuer.as_ref().map(|issuer| issuer.issue(&you.name));
        self.tell(
            &[id],
            &ServerMessage::Joined {
                version: VERSION,
                you,
                participants,
                turn,
            },
        );
        self.tell_room(
            &room,
            Some(id),
            &ServerMessage::PeerJoined { name, session },
        );
        Ok(())
    }

    fn renew(&mut self, id: ConnectionId, name: &Name) {
        if let Some(issuer) = &self.issuer {
            let turn = issuer.issue(name);
            self.tell(&[id], &ServerMessage::Renewed { turn });
        }
    }

    /// Replaces an earlier connection of the same participant, and checks the rules otherwise.
    fn make_place(&mut self, room: &Name, name: &Name, token: Option<&Token>) -> Result<(), Stop> {
        let members = self.rooms.get(room).map_or(&[][..], Vec::as_slice);
        match members
            .iter()
            .find(|member| member.participant.name == *name)
        {
            Some(member) if token.is_some() && member.token.as_ref() == token => {
                let earlier = member.connection;
                let closed = Closed::Dismissed(ErrorCode::Replaced);
                self.dismiss(earlier, closed, LeaveReason::Replaced);
                Ok(())
            }
            Some(_) => refuse(
                ErrorCode::NameTaken,
                "somebody else in the room has this name",
            ),
            None if members.len() >= self.max_participants => {
                refuse(ErrorCode::RoomFull, "the room has no place left")
            }
            None => Ok(()),
        }
    }

    fn forward(
        &mut self,
        id: ConnectionId,
        seat: Seat,
        to: Name,
        session: Session,
        signal: Signal,
    ) -> Result<(), Stop> {
        let members = self.rooms.get(&seat.room).map_or(&[][..], Vec::as_slice);
        let receiver = members.iter().find(|member| member.participant.name == to);
        let (target, message) = match receiver {
            Some(member) if member.participant.session == session => (
                member.connection,
                ServerMessage::signal(&seat.participant, signal),
            ),
            Some(_) => (
                id,
                error(ErrorCode::StaleSession, format!("{to} has come back anew")),
            ),
            None => (
                id,
                error(
                    ErrorCode::NoSuchParticipant,
                    format!("{to} is not in the room"),
                ),
            ),
        };
        self.tell(&[target], &message);
        Ok(())
    }

    fn tell_room(&mut self, room: &Name, except: Option<ConnectionId>, message: &ServerMessage) {
        let members = self.rooms.get(room).map_or(&[][..], Vec::as_slice);
        let ids = members.iter().map(|member| member.connection);
        let ids: Vec<_> = ids.filter(|id| Some(*id) != except).collect();
        self.tell(&ids, message);
    }

    /// Queues a message. Whoever has no room for it in the queue is cut off.
    fn tell(&mut self, ids: &[ConnectionId], message: &ServerMessage) {
        let text = message.to_text();
        let is_full = |id: &&ConnectionId| {
            let connection = self.connections.get(id);
            connection.is_some_and(|it| it.outbox.push(text.clone()) == Err(PushError::Full))
        };
        let full: Vec<_> = ids.iter().filter(is_full).copied().collect();
        for id in full {
            self.dismiss(
                id,
                Closed::Cut(ErrorCode::Overloaded),
                LeaveReason::Overloaded,
            );
        }
    }

    fn dismiss(&mut self, id: ConnectionId, closed: Closed, reason: LeaveReason) {
        if let Some(connection) = self.connections.get(&id) {
            connection.outbox.close(closed);
        }
        self.disconnect(id, reason);
    }
}

pub(super) fn error(code: ErrorCode, message: impl Into<String>) -> ServerMessage {
    ServerMessage::Error {
        code,
        message: message.into(),
    }
}

fn refuse(code: ErrorCode, message: &str) -> Result<(), Stop> {
    Err(Stop::Refused(code, message.into()))
}

#[cfg(test)]
mod tests;
