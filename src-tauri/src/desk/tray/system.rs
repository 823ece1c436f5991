//! The tray of Windows and macOS. Not tried: nobody has looked at it there yet.

use std::sync::{Arc, Mutex, PoisonError};

use tauri::image::Image;
use tauri::menu::{CheckMenuItem, Menu, MenuItem, PredefinedMenuItem};
use tauri::tray::{MouseButton, MouseButtonState, TrayIcon, TrayIconBuilder, TrayIconEvent};
use tauri::{AppHandle, Wry};
use tokio::sync::watch::Receiver;

use super::{Entry, entries, picture};
use crate::desk::model::Face;
use crate::desk::words::Words;
use crate::desk::{Order, Orders};

/// Shows the phone in the tray as long as this runs.
///
/// # Errors
/// The system has no tray.
pub async fn run(app: AppHandle, mut faces: Receiver<Face>, orders: Orders) -> tauri::Result<()> {
    let face = faces.borrow_and_update().clone();
    let shown = Arc::new(Mutex::new(Vec::new()));
    let (pressed, chosen, known) = (orders.clone(), orders.clone(), Arc::clone(&shown));
    let icon = TrayIconBuilder::with_id("phone")
        .show_menu_on_left_click(false)
        .icon_as_template(cfg!(target_os = "macos"))
        .on_tray_icon_event(move |_, event| {
            let left = MouseButton::Left;
            if matches!(event, TrayIconEvent::Click { button, button_state: MouseButtonState::Up, .. } if button == left)
            {
                pressed.send(Order::Open);
            }
        })
        .on_menu_event(move |_, event| {
            let entries = known.lock().unwrap_or_else(PoisonError::into_inner);
            let entry = event.id().as_ref().parse::<usize>().ok().and_then(|id| entries.get(id));
            if let Some(Entry::Deed { order, .. }) = entry {
                chosen.send(order.clone());
            }
        })
        .build(&app)?;
    show(&app, &icon, &face, &shown)?;
    orders.send(Order::Tray(true));
    while faces.changed().await.is_ok() {
        let face = faces.borrow_and_update().clone();
        show(&app, &icon, &face, &shown)?;
    }
    Ok(())
}

fn show(app: &AppHandle, icon: &TrayIcon<Wry>, face: &Face, shown: &Mutex<Vec<Entry>>) -> tauri::Result<()> {
    if let Some(picture) = picture::picture(face.shape, cfg!(windows)) {
        icon.set_icon(Some(Image::new_owned(picture.rgba, picture.side, picture.side)))?;
    }
    icon.set_tooltip(Some(Words::of(face.language).state(face)))?;
    let menu = Menu::new(app)?;
    let all = entries(face);
    for (id, entry) in all.iter().enumerate() {
        match entry {
            Entry::Separator => menu.append(&PredefinedMenuItem::separator(app)?)?,
            Entry::Deed { label, checked: None, .. } => {
                menu.append(&MenuItem::with_id(app, id.to_string(), label, true, None::<&str>)?)?;
            }
            Entry::Deed { label, checked: Some(checked), .. } => {
                let item = CheckMenuItem::with_id(app, id.to_string(), label, true, *checked, None::<&str>)?;
                menu.append(&item)?;
            }
        }
    }
    icon.set_menu(Some(menu))?;
    *shown.lock().unwrap_or_else(PoisonError::into_inner) = all;
    Ok(())
}
