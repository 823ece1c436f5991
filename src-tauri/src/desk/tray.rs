//! The phone in the tray: its state by shape, and what can be done without a window.

#[cfg(target_os = "linux")]
mod item;
#[cfg(target_os = "linux")]
mod menu;
mod picture;
#[cfg(not(target_os = "linux"))]
mod system;

#[cfg(target_os = "linux")]
pub use item::run;
#[cfg(not(target_os = "linux"))]
pub use system::run;

use super::Order;
use super::model::Face;
use super::words::Words;

/// One line of the menu.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// Something to do.
    Deed {
        /// What it says.
        label: String,
        /// What it does.
        order: Order,
        /// Whether it is on, where it can be.
        checked: Option<bool>,
    },
    /// A line between.
    Separator,
}

/// The menu as it stands now.
pub fn entries(face: &Face) -> Vec<Entry> {
    let words = Words::of(face.language);
    let deed = |label: &str, order| Entry::Deed { label: label.to_owned(), order, checked: None };
    let mut entries = vec![deed(&words.open(), Order::Open), Entry::Separator];
    if let Some(call) = face.answer {
        entries.push(deed(words.answer, Order::Answer(call)));
    }
    if let Some(call) = face.hang_up {
        let declines = face.answer == Some(call);
        let label = if declines { words.decline } else { words.hang_up };
        entries.push(deed(label, if declines { Order::Decline(call) } else { Order::HangUp(call) }));
    }
    entries.push(Entry::Deed {
        label: words.do_not_disturb.to_owned(),
        order: Order::Disturb(face.do_not_disturb),
        checked: Some(face.do_not_disturb),
    });
    entries.extend([Entry::Separator, deed(words.quit, Order::Quit)]);
    entries
}

#[cfg(test)]
mod tests {
    use phone::CallId;

    use super::*;

    fn orders(face: &Face) -> Vec<Order> {
        let of = |entry| match entry {
            Entry::Deed { order, .. } => Some(order),
            Entry::Separator => None,
        };
        entries(face).into_iter().filter_map(of).collect()
    }

    #[test]
    fn the_menu_offers_what_can_be_done_with_the_calls_there_are() {
        assert_eq!(orders(&Face::default()), [Order::Open, Order::Disturb(false), Order::Quit]);
        let (talks, rings) = (Some(CallId(1)), Some(CallId(2)));
        let waiting = Face { answer: rings, hang_up: talks, ..Face::default() };
        assert_eq!(orders(&waiting)[1..3], [Order::Answer(CallId(2)), Order::HangUp(CallId(1))]);
        let ringing = Face { answer: rings, hang_up: rings, ..Face::default() };
        assert_eq!(orders(&ringing)[1..3], [Order::Answer(CallId(2)), Order::Decline(CallId(2))]);
    }
}
