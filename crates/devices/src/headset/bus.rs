//! How headsets are found and spoken to: the system's HID devices, or what stands in for them.

use std::ffi::CString;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use hidapi::{HidApi, HidDevice, MAX_REPORT_DESCRIPTOR_SIZE};

/// Usage page of telephones.
const TELEPHONY: u16 = 0x0b;

/// Where HID devices are plugged in.
pub trait HidBus: fmt::Debug + Send + Sync {
    /// Ids of the devices that have telephone buttons, for as long as they are plugged in.
    ///
    /// # Errors
    /// The system does not tell.
    fn present(&self) -> io::Result<Vec<String>>;

    /// Opens one. Others may have it open at the same time, and so may we.
    ///
    /// # Errors
    /// It is gone, or is not ours to open.
    fn open(&self, id: &str) -> io::Result<Box<dyn HidPort>>;
}

/// An open HID device.
pub trait HidPort: Send {
    /// Its report descriptor.
    ///
    /// # Errors
    /// It is gone.
    fn descriptor(&mut self) -> io::Result<Vec<u8>>;

    /// Waits for an input report, its number first where reports have one; the bytes of it, none when the time is up.
    ///
    /// # Errors
    /// It is gone.
    fn read(&mut self, into: &mut [u8], within: Duration) -> io::Result<usize>;

    /// Sends an output report, its number first, 0 where reports have none.
    ///
    /// # Errors
    /// It is gone.
    fn write(&mut self, report: &[u8]) -> io::Result<()>;
}

/// The system's.
pub fn system_hid() -> Arc<dyn HidBus> {
    Arc::new(SystemHid)
}

#[derive(Debug)]
struct SystemHid;

impl HidBus for SystemHid {
    fn present(&self) -> io::Result<Vec<String>> {
        let api = HidApi::new().map_err(io::Error::other)?;
        let telephones = api.device_list().filter(|device| device.usage_page() == TELEPHONY);
        let mut ids: Vec<String> =
            telephones.filter_map(|device| device.path().to_str().ok().map(str::to_owned)).collect();
        // One path may be listed once for each of its usages.
        ids.sort();
        ids.dedup();
        Ok(ids)
    }

    fn open(&self, id: &str) -> io::Result<Box<dyn HidPort>> {
        let api = HidApi::new().map_err(io::Error::other)?;
        let path = CString::new(id)?;
        Ok(Box::new(SystemPort(api.open_path(&path).map_err(io::Error::other)?)))
    }
}

struct SystemPort(HidDevice);

impl HidPort for SystemPort {
    fn descriptor(&mut self) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; MAX_REPORT_DESCRIPTOR_SIZE];
        let length = self.0.get_report_descriptor(&mut bytes).map_err(io::Error::other)?;
        bytes.truncate(length);
        Ok(bytes)
    }

    fn read(&mut self, into: &mut [u8], within: Duration) -> io::Result<usize> {
        let ms = i32::try_from(within.as_millis()).unwrap_or(i32::MAX);
        self.0.read_timeout(into, ms).map_err(io::Error::other)
    }

    fn write(&mut self, report: &[u8]) -> io::Result<()> {
        self.0.write(report).map(drop).map_err(io::Error::other)
    }
}
