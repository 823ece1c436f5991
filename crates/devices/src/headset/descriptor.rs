//! Report descriptors (USB HID 1.11, section 6.2.2): which bit of which report is which button or lamp.
//!
//! They come from whatever was plugged in, so nothing in them is believed: sizes are bounded, and what makes no
//! sense is refused.

use std::collections::BTreeMap;

/// A usage: page in the upper half, the usage itself in the lower one.
pub(super) type Usage = u32;

/// Most bits of one report that are believed.
const LONGEST_REPORT: u32 = 8 * 4096;
/// Most buttons and lamps of one device.
const MOST_FIELDS: usize = 512;
/// Most buttons that may be pressed at once in a list.
const MOST_LISTED: u32 = 8;
const MOST_USAGES: usize = 64;
const DEEPEST_STACK: usize = 16;

/// A report descriptor that cannot be understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DescriptorError {
    /// It ends within an item.
    #[error("the report descriptor is cut off")]
    CutOff,
    /// It describes more than any headset has.
    #[error("the report descriptor describes too much")]
    TooMuch,
    /// Items do not fit together.
    #[error("the report descriptor makes no sense")]
    Senseless,
}

/// One button, switch or lamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Field {
    /// Report it is in; 0 where reports have no number.
    pub(super) report: u8,
    /// First bit, after the report's number.
    pub(super) bit: u32,
    /// Bits, 1 to 32.
    pub(super) size: u32,
    pub(super) usage: Usage,
    pub(super) shape: Shape,
}

/// What a field's value means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// It stays as it is put: the value is the state.
    Switch,
    /// It is pressed and springs back: going to 1 is the event.
    Button,
    /// It is a list of what is pressed: this value in it says that this usage is.
    Listed(u32),
}

/// What a device tells and shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) inputs: Vec<Field>,
    pub(super) outputs: Vec<Field>,
    /// Bytes of each output report, its number not counted.
    pub(super) output_bytes: BTreeMap<u8, usize>,
    /// Reports begin with their number.
    pub(super) numbered: bool,
}

#[derive(Clone, Default)]
struct Globals {
    page: u32,
    logical_min: i32,
    size: u32,
    count: u32,
    report: u8,
}

#[derive(Default)]
struct Locals {
    usages: Vec<(Usage, Usage)>,
    minimum: Option<Usage>,
}

impl Layout {
    /// Reads a report descriptor.
    ///
    /// # Errors
    /// It is cut off, describes too much or makes no sense.
    pub(super) fn parse(mut bytes: &[u8]) -> Result<Self, DescriptorError> {
        let mut layout = Self::default();
        let (mut now, mut stack, mut local) = (Globals::default(), Vec::new(), Locals::default());
        let mut lengths = [BTreeMap::<u8, u32>::new(), BTreeMap::new()];
        while let Some((item, rest)) = Item::read(bytes)? {
            bytes = rest;
            match (item.kind, item.tag) {
                (0, 8) => layout.main(false, &item, &now, &local, &mut lengths)?,
                (0, 9) => layout.main(true, &item, &now, &local, &mut lengths)?,
                (0, _) => {}
                (1, 0) => now.page = item.value & 0xffff,
                (1, 1) => now.logical_min = item.signed(),
                (1, 7) => now.size = item.value,
                (1, 8) => {
                    now.report = u8::try_from(item.value).map_err(|_| DescriptorError::Senseless)?;
                    layout.numbered = true;
                }
                (1, 9) => now.count = item.value,
                (1, 10) if stack.len() < DEEPEST_STACK => stack.push(now.clone()),
                (1, 10) => return Err(DescriptorError::TooMuch),
                (1, 11) => now = stack.pop().ok_or(DescriptorError::Senseless)?,
                (2, 0) => local.add(item.usage(now.page), item.usage(now.page))?,
                (2, 1) => local.minimum = Some(item.usage(now.page)),
                (2, 2) => {
                    let first = local.minimum.take().ok_or(DescriptorError::Senseless)?;
                    local.add(first, item.usage(now.page))?;
                }
                _ => {}
            }
            if item.kind == 0 {
                local = Locals::default();
            }
        }
        let [_, outputs] = lengths;
        layout.output_bytes =
            outputs.into_iter().map(|(report, bits)| (report, bits.div_ceil(8) as usize)).collect();
        Ok(layout)
    }

    fn main(
        &mut self,
        output: bool,
        item: &Item,
        now: &Globals,
        local: &Locals,
        [inputs, outputs]: &mut [BTreeMap<u8, u32>; 2],
    ) -> Result<(), DescriptorError> {
        let (constant, variable) = (item.value & 1 != 0, item.value & 2 != 0);
        let (relative, springs_back) = (item.value & 4 != 0, item.value & 0x20 == 0);
        let length = if output { outputs } else { inputs }.entry(now.report).or_default();
        let begin = *length;
        let bits = now.size.checked_mul(now.count).filter(|bits| *bits <= LONGEST_REPORT);
        *length += bits.ok_or(DescriptorError::TooMuch)?;
        if *length > LONGEST_REPORT {
            return Err(DescriptorError::TooMuch);
        }
        if constant || !(1..=32).contains(&now.size) {
            return Ok(());
        }
        let mut put = |nth: u32, usage, shape| {
            let fields = if output { &mut self.outputs } else { &mut self.inputs };
            if fields.len() >= MOST_FIELDS {
                return Err(DescriptorError::TooMuch);
            }
            let bit = begin + nth * now.size;
            fields.push(Field { report: now.report, bit, size: now.size, usage, shape });
            Ok(())
        };
        let fields = now.count.min(MOST_FIELDS as u32);
        for nth in 0..if variable { fields } else { fields.min(MOST_LISTED) } {
            if variable {
                let shape = if relative || springs_back { Shape::Button } else { Shape::Switch };
                match local.nth(nth) {
                    Some(usage) if is_telephony(usage) => put(nth, usage, shape)?,
                    Some(_) => {}
                    None => break,
                }
                continue;
            }
            for (index, usage) in local.all().enumerate().take(MOST_FIELDS) {
                let value = i64::from(now.logical_min) + index as i64;
                if let (true, Ok(value)) = (is_telephony(usage), u32::try_from(value)) {
                    put(nth, usage, Shape::Listed(value))?;
                }
            }
        }
        Ok(())
    }
}

/// Pages of telephones and of lamps; nothing else is looked at.
fn is_telephony(usage: Usage) -> bool {
    matches!(usage >> 16, 0x08 | 0x0b)
}

impl Locals {
    fn add(&mut self, first: Usage, last: Usage) -> Result<(), DescriptorError> {
        if last < first {
            return Err(DescriptorError::Senseless);
        }
        if self.usages.len() >= MOST_USAGES {
            return Err(DescriptorError::TooMuch);
        }
        self.usages.push((first, last));
        Ok(())
    }

    fn all(&self) -> impl Iterator<Item = Usage> + '_ {
        self.usages.iter().flat_map(|(first, last)| *first..=*last)
    }

    /// The usage of a field; where there are more fields than usages, the last one goes on.
    fn nth(&self, nth: u32) -> Option<Usage> {
        let mut left = nth;
        for (first, last) in &self.usages {
            let many = last - first;
            if left <= many {
                return Some(first + left);
            }
            left -= many + 1;
        }
        self.usages.last().map(|(_, last)| *last)
    }
}

struct Item {
    /// Main, global, local or reserved.
    kind: u8,
    tag: u8,
    value: u32,
    size: usize,
}

impl Item {
    fn read(bytes: &[u8]) -> Result<Option<(Self, &[u8])>, DescriptorError> {
        let Some((head, rest)) = bytes.split_first() else { return Ok(None) };
        if *head == 0xfe {
            let (length, _) = rest.split_first().ok_or(DescriptorError::CutOff)?;
            let rest = rest.get(usize::from(*length) + 2..).ok_or(DescriptorError::CutOff)?;
            return Ok(Some((Self { kind: 3, tag: 15, value: 0, size: 0 }, rest)));
        }
        let size = [0, 1, 2, 4].get(usize::from(head & 3)).copied().unwrap_or(0);
        let (data, rest) = rest.split_at_checked(size).ok_or(DescriptorError::CutOff)?;
        let value = data.iter().rev().fold(0, |value, byte| value << 8 | u32::from(*byte));
        Ok(Some((Self { kind: head >> 2 & 3, tag: head >> 4, value, size }, rest)))
    }

    fn signed(&self) -> i32 {
        match self.size {
            1 => i32::from(self.value as u8 as i8),
            2 => i32::from(self.value as u16 as i16),
            _ => self.value as i32,
        }
    }

    fn usage(&self, page: u32) -> Usage {
        if self.size == 4 { self.value } else { page << 16 | self.value }
    }
}

/// The value of a field in the bytes of a report.
pub(super) fn value(field: &Field, data: &[u8]) -> Option<u32> {
    (0..field.size).try_fold(0, |value, nth| {
        let bit = field.bit + nth;
        let byte = data.get((bit / 8) as usize)?;
        Some(value | u32::from(byte >> (bit % 8) & 1) << nth)
    })
}

/// Sets the lowest bit of a field.
pub(super) fn raise(field: &Field, data: &mut [u8]) {
    if let Some(byte) = data.get_mut((field.bit / 8) as usize) {
        *byte |= 1 << (field.bit % 8);
    }
}
