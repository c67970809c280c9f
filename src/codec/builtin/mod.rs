//! The codecs that DataJoint brings, one file each. Each registers itself.

mod attach;
mod blob;
mod filepath;
mod hash;
mod npy;
mod object;

#[cfg(test)]
mod tests;
