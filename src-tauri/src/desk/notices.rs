//! Calls that ring as notifications of the desktop's (Desktop Notifications Specification 1.2), with what can be done
//! about them. They take no focus, and go when the call rings no longer.

use std::collections::HashMap;

use brand::BRAND;
use futures_util::StreamExt;
use phone::CallId;
use tokio::sync::watch::Receiver;
use zbus::Connection;
use zbus::zvariant::Value;

use super::model::Ringing;
use super::words::Words;
use super::{Order, Orders, is_wayland};

#[zbus::proxy(
    interface = "org.freedesktop.Notifications",
    default_service = "org.freedesktop.Notifications",
    default_path = "/org/freedesktop/Notifications",
    gen_blocking = false
)]
trait Notifications {
    fn get_capabilities(&self) -> zbus::Result<Vec<String>>;

    #[allow(clippy::too_many_arguments)]
    fn notify(
        &self,
        app_name: &str,
        replaces_id: u32,
        app_icon: &str,
        summary: &str,
        body: &str,
        actions: &[&str],
        hints: HashMap<&str, Value<'_>>,
        expire_timeout: i32,
    ) -> zbus::Result<u32>;

    fn close_notification(&self, id: u32) -> zbus::Result<()>;

    #[zbus(signal)]
    fn action_invoked(&self, id: u32, action_key: String) -> zbus::Result<()>;

    #[zbus(signal)]
    fn notification_closed(&self, id: u32, reason: u32) -> zbus::Result<()>;
}

/// Reason of `NotificationClosed`: it has been there long enough.
const EXPIRED: u32 = 1;
/// The same: the user waved it away.
const DISMISSED: u32 = 2;

/// Shows what is wanted, as long as anybody wants anything.
///
/// # Errors
/// The bus is gone.
pub async fn run(bus: Connection, mut wanted: Receiver<Vec<Ringing>>, orders: Orders) -> zbus::Result<()> {
    let service = NotificationsProxy::new(&bus).await?;
    let mut invoked = service.receive_action_invoked().await?;
    let mut closed = service.receive_notification_closed().await?;
    let mut shown = HashMap::<CallId, u32>::new();
    if is_wayland() {
        orders.send(Order::NoticesSuffice(acts(&service.get_capabilities().await.unwrap_or_default())));
    }
    let of = |shown: &HashMap<CallId, u32>, id: u32| {
        shown.iter().find(|(_, known)| **known == id).map(|(call, _)| *call)
    };
    loop {
        tokio::select! {
            changed = wanted.changed() => {
                let ringing = if changed.is_ok() { wanted.borrow_and_update().clone() } else { Vec::new() };
                if !settle(&service, &ringing, &mut shown).await {
                    orders.send(Order::NoticesSuffice(false));
                }
                if changed.is_err() {
                    return Ok(());
                }
            }
            Some(signal) = invoked.next() => {
                let args = signal.args()?;
                if let Some(call) = of(&shown, args.id) {
                    orders.send(match args.action_key.as_str() {
                        "answer" => Order::Answer(call),
                        "decline" => Order::Decline(call),
                        _ => Order::Open,
                    });
                }
            }
            Some(signal) = closed.next() => {
                let args = signal.args()?;
                // The call rings on; the number may be given to another notification.
                if let Some(call) = of(&shown, args.id) {
                    shown.insert(call, 0);
                    if args.reason == DISMISSED {
                        tracing::debug!(?call, "a notification was waved away");
                    } else if args.reason == EXPIRED {
                        // A service that keeps none as long as it rings.
                        orders.send(Order::NoticesSuffice(false));
                    }
                }
            }
        }
    }
}

/// Shows each call that rings once, and nothing of those that no longer do. Whether all could be shown.
async fn settle(
    service: &NotificationsProxy<'_>,
    ringing: &[Ringing],
    shown: &mut HashMap<CallId, u32>,
) -> bool {
    let mut all = true;
    let gone: Vec<CallId> =
        shown.keys().filter(|call| !ringing.iter().any(|r| r.call == **call)).copied().collect();
    for call in gone {
        if let Some(id) = shown.remove(&call).filter(|&id| id != 0) {
            // It may be gone already.
            let _ = service.close_notification(id).await;
        }
    }
    for new in ringing {
        if shown.contains_key(&new.call) {
            continue;
        }
        match notify(service, new).await {
            Ok(id) => {
                shown.insert(new.call, id);
            }
            // Desktops without such a service show the small window only.
            Err(error) => {
                tracing::debug!(%error, "no notification is shown");
                all = false;
            }
        }
    }
    all
}

async fn notify(service: &NotificationsProxy<'_>, ringing: &Ringing) -> zbus::Result<u32> {
    let words = Words::of(ringing.language);
    let able = service.get_capabilities().await.unwrap_or_default();
    let marked_up = able.iter().any(|able| able == "body-markup");
    let body = words.body(ringing);
    let body = if marked_up { escaped(&body) } else { body };
    let actions: &[&str] =
        if acts(&able) { &["default", "", "answer", words.answer, "decline", words.decline] } else { &[] };
    let hints = HashMap::from([
        // Critical: it stays until the call rings no longer.
        ("urgency", Value::U8(2)),
        ("category", Value::from("call.incoming")),
        ("desktop-entry", Value::from(BRAND.program)),
        // The phone rings by itself.
        ("suppress-sound", Value::from(true)),
    ]);
    let title = words.rings(ringing);
    service.notify(BRAND.name, 0, "call-start", &title, &body, actions, hints, 0).await
}

/// Whether it offers what can be done about a call.
fn acts(able: &[String]) -> bool {
    able.iter().any(|able| able == "actions")
}

/// A caller's name is text, whatever it looks like.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_callers_name_is_no_markup() {
        assert_eq!(escaped("<a href=\"x\">&</a>"), "&lt;a href=\"x\"&gt;&amp;&lt;/a&gt;");
    }
}
