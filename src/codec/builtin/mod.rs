//! The codecs that DataJoint brings, one file each. Each registers itself.

mod blob;
mod hash;
