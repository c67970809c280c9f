//! What one session has chosen: its view, and the forms in which values come.

use super::View;
use crate::codec::{Manner, Notation, NpyForm, ObjectForm};

/// The choices of a session. It begins with what its listener gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice {
    /// What the client sees of codec columns.
    pub view: View,
    /// How `<npy@>` columns read in the `bytes` view.
    pub npy: NpyForm,
    /// What bytes written to an `<object@>` column are.
    pub object: ObjectForm,
    /// Arrays with more elements are cut in the `json` view.
    pub json_limit: Option<u64>,
    listener: View,
}

/// One choice, as `SET @codec_… = …` makes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setting {
    /// `@codec_view`; `None` brings the listener's view back.
    View(Option<View>),
    /// `@codec_npy`
    Npy(NpyForm),
    /// `@codec_object`
    Object(ObjectForm),
    /// `@codec_json_limit`, in elements of an array; `None` is without limit.
    JsonLimit(Option<u64>),
}

impl Choice {
    /// What a session on a listener with that view begins with.
    pub fn new(listener: View) -> Self {
        Self {
            view: listener,
            npy: NpyForm::default(),
            object: ObjectForm::default(),
            json_limit: None,
            listener,
        }
    }

    /// Takes one choice over.
    pub fn set(&mut self, setting: &Setting) {
        match *setting {
            Setting::View(view) => self.view = view.unwrap_or(self.listener),
            Setting::Npy(npy) => self.npy = npy,
            Setting::Object(object) => self.object = object,
            Setting::JsonLimit(limit) => self.json_limit = limit,
        }
    }

    /// What codecs are told of it.
    pub fn manner(&self) -> Manner {
        Manner {
            notation: match self.view {
                View::Json => Notation::Json,
                View::Bytes | View::Stored => Notation::Bytes,
            },
            npy: self.npy,
            object: self.object,
            json_limit: self.json_limit,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_chooses_and_comes_back() {
        let mut choice = Choice::new(View::Bytes);
        for setting in [
            Setting::View(Some(View::Json)),
            Setting::Npy(NpyForm::File),
            Setting::Object(ObjectForm::Directory),
            Setting::JsonLimit(Some(9)),
        ] {
            choice.set(&setting);
        }
        let manner = Manner {
            notation: Notation::Json,
            npy: NpyForm::File,
            object: ObjectForm::Directory,
            json_limit: Some(9),
        };
        assert_eq!((choice.view, choice.manner()), (View::Json, manner));
        choice.set(&Setting::View(None));
        assert_eq!(choice.view, View::Bytes);
        assert_eq!(choice.manner().notation, Notation::Bytes);
        choice.set(&Setting::JsonLimit(None));
        assert_eq!(choice.json_limit, None);
    }
}
