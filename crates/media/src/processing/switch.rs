/// Frames that a new stage runs unheard, so that its own delay is filled before it is heard.
const WARM_UP: u8 = 2;

/// One stage of the way, for frames of this form.
pub(super) trait Stage<F> {
    /// Turns 10 ms of sound into another 10 ms.
    fn process(&mut self, sound: &mut F);
}

/// A form of frame.
pub(super) trait Frame: Copy {
    /// Slides within the frame, from what was to what is.
    fn slide(&mut self, from: &Self);
}

impl<const N: usize> Frame for [f32; N] {
    fn slide(&mut self, from: &Self) {
        for (n, (sample, from)) in self.iter_mut().zip(from).enumerate() {
            *sample = from + (*sample - from) * (n as f32 / N as f32);
        }
    }
}

impl<const N: usize, const B: usize> Frame for [[f32; N]; B] {
    fn slide(&mut self, from: &Self) {
        self.iter_mut().zip(from).for_each(|(band, from)| band.slide(from));
    }
}

/// A stage that may be there or not, and changes without a click: the new one runs along for a while, then the
/// sound slides over to it within a frame.
pub(super) struct Switch<S> {
    stage: Option<S>,
    leaving: Option<Leaving<S>>,
}

struct Leaving<S> {
    stage: Option<S>,
    left: u8,
}

impl<S> Switch<S> {
    pub(super) fn new(stage: Option<S>) -> Self {
        Self { stage, leaving: None }
    }

    /// Takes this stage, or none, in place of the one there is.
    pub(super) fn turn(&mut self, stage: Option<S>) {
        let before = std::mem::replace(&mut self.stage, stage);
        // Whoever turns twice at once goes on from what is heard.
        self.leaving.get_or_insert(Leaving { stage: before, left: WARM_UP }).left = WARM_UP;
    }

    /// The stage that is wanted.
    pub(super) fn stage(&mut self) -> Option<&mut S> {
        self.stage.as_mut()
    }

    /// Every stage that runs.
    pub(super) fn each(&mut self, then: impl FnMut(&mut S)) {
        let leaving = self.leaving.as_mut().and_then(|leaving| leaving.stage.as_mut());
        self.stage.as_mut().into_iter().chain(leaving).for_each(then);
    }

    /// No stage is leaving.
    pub(super) fn is_settled(&self) -> bool {
        self.leaving.is_none()
    }

    pub(super) fn process<F: Frame>(&mut self, sound: &mut F)
    where
        S: Stage<F>,
    {
        let Some(leaving) = &mut self.leaving else {
            if let Some(stage) = &mut self.stage {
                stage.process(sound);
            }
            return;
        };
        let mut before = *sound;
        if let Some(stage) = &mut leaving.stage {
            stage.process(&mut before);
        }
        if let Some(stage) = &mut self.stage {
            stage.process(sound);
        }
        if leaving.left > 0 {
            leaving.left -= 1;
            *sound = before;
            return;
        }
        self.leaving = None;
        sound.slide(&before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Set(f32);

    impl Stage<[f32; 4]> for Set {
        fn process(&mut self, sound: &mut [f32; 4]) {
            sound.fill(self.0);
        }
    }

    fn run(switch: &mut Switch<Set>) -> [f32; 4] {
        let mut sound = [8.0; 4];
        switch.process(&mut sound);
        sound
    }

    #[test]
    fn slides_from_one_stage_to_the_next() {
        let mut switch = Switch::new(None);
        assert_eq!(run(&mut switch), [8.0; 4]);
        switch.turn(Some(Set(4.0)));
        for _ in 0..WARM_UP {
            assert_eq!(run(&mut switch), [8.0; 4], "not heard before it has warmed up");
        }
        assert_eq!(run(&mut switch), [8.0, 7.0, 6.0, 5.0]);
        assert_eq!(run(&mut switch), [4.0; 4]);
        switch.turn(None);
        (0..WARM_UP).for_each(|_| assert_eq!(run(&mut switch), [4.0; 4]));
        assert_eq!(run(&mut switch), [4.0, 5.0, 6.0, 7.0]);
        assert!(switch.is_settled());
    }

    #[test]
    fn who_turns_twice_slides_from_what_is_heard() {
        let mut switch = Switch::new(Some(Set(1.0)));
        switch.turn(Some(Set(2.0)));
        run(&mut switch);
        switch.turn(Some(Set(5.0)));
        (0..WARM_UP).for_each(|_| assert_eq!(run(&mut switch), [1.0; 4]));
        assert_eq!(run(&mut switch), [1.0, 2.0, 3.0, 4.0]);
    }
}
