//! Microphone, speaker and ringing device under the calls: what is plugged in, preferred and used.

use std::time::Duration;

use devices::{DeviceError, Present, Role};

use super::Calls;
use crate::audio::Audio;
use crate::voice::Device;
use crate::words::of_device_error;
use crate::{Event, RingPreferences};

impl Calls {
    /// What is known and preferred of the devices.
    pub(crate) fn audio(&self) -> &Audio {
        &self.audio
    }

    /// Something was plugged in or out.
    pub(crate) fn plugged(&mut self, present: Present) {
        self.audio.plugged(present);
        if let Some(headsets) = &self.headsets {
            headsets.look();
        }
        self.devices_changed();
    }

    /// Uses devices in this order here.
    pub(crate) fn rank(&mut self, role: Role, ids: &[String]) {
        self.audio.rank(role, ids);
        self.devices_changed();
    }

    /// Uses this device here, or the system's default.
    pub(crate) fn use_device(&mut self, role: Role, id: Option<&str>) {
        self.audio.prefer(role, id);
        self.devices_changed();
    }

    /// Rings otherwise from now on.
    pub(crate) fn prefer_ring(&mut self, ring: RingPreferences) {
        self.audio.prefer_ring(ring);
        self.devices_changed();
    }

    /// A device was lost. That is worth a word only where no other takes its place.
    pub(super) fn device_failed(&mut self, device: Device, error: &DeviceError) {
        if self.audio.has_another(device) {
            return;
        }
        let problem = of_device_error(device, error);
        self.outlet.tell(Event::Notice { problem, call: None });
    }

    /// Sound goes through this card from now on.
    pub(super) fn device_used(&mut self, device: Device, card: Option<String>, gap: Option<Duration>) {
        let first = gap.is_none();
        if let Some(news) = self.audio.used(device, card, gap) {
            tracing::info!(?news, "another device is used");
            self.outlet.tell(Event::DeviceChanged { news });
        }
        if let Some(voice) = &self.voice {
            voice.process(self.stages());
        }
        if let Some(voice) = self.voice.as_ref().filter(|_| first) {
            // It began with what a command line named; from now on others may take its place.
            voice.want(self.audio.wanted());
        }
        self.outlet.tell(Event::Audio { view: Box::new(self.audio.view()) });
    }

    fn devices_changed(&mut self) {
        if let Some(voice) = &self.voice {
            voice.want(self.audio.wanted());
        }
        self.sound_tone();
        self.outlet.tell(Event::Audio { view: Box::new(self.audio.view()) });
    }
}
