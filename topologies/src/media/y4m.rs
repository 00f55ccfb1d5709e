//! A Y4M file as a camera.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ::y4m::{Colorspace, Decoder};

use super::camera::Camera;
use super::frame::Frame;
use super::scale::resize_planes;

/// Most memory that the pictures of one file may take, bytes: 100 s of 640x360 at 30 frames per
/// second.
pub const MAX_BYTES: usize = 1 << 30;

/// Why a file cannot be a camera.
#[derive(Debug, thiserror::Error)]
pub enum Y4mError {
    /// The file cannot be opened.
    #[error("cannot open the camera file {}: {source}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is no Y4M, or damaged.
    #[error("{} is not a readable Y4M file: {source}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Why.
        source: ::y4m::Error,
    },
    /// Its pictures are not 4:2:0 of 8 bits.
    #[error(
        "{} has the colour space {colorspace:?}; only 8-bit 4:2:0 is supported \
         (ffmpeg -i IN -pix_fmt yuv420p OUT.y4m)",
        path.display()
    )]
    Colorspace {
        /// The file.
        path: PathBuf,
        /// What it has.
        colorspace: Colorspace,
    },
    /// Its frame rate is zero or undefined.
    #[error("{} has no valid frame rate", path.display())]
    FrameRate {
        /// The file.
        path: PathBuf,
    },
    /// It holds no frame.
    #[error("{} holds no frame", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// Its pictures, at the size of the call, need too much memory.
    #[error("{} is longer than {frames} frames, the most that fit in memory; cut it", path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
        /// How many frames fit.
        frames: usize,
    },
}

/// The pictures of a Y4M file, played in a loop at the file's own speed.
///
/// Where the frame rates differ, each frame shows the file's nearest picture in time. The whole
/// file is kept in memory at the size of the call; clones share it. The 8-bit 4:2:0 variants, which
/// differ in where chroma is sited, by less than a pixel, are taken as the same.
#[derive(Clone, Debug)]
pub struct Y4mCamera {
    frames: Arc<[Arc<Frame>]>,
    /// File frames per call frame, as numerator and denominator.
    speed: (u64, u64),
}

impl Y4mCamera {
    /// Reads the file at `path` and scales it to `width` by `height`, to be captured at `fps`.
    ///
    /// # Errors
    ///
    /// If it cannot be read, is not 8-bit 4:2:0, is empty, or takes more than [`MAX_BYTES`].
    ///
    /// # Panics
    ///
    /// If `width` or `height` is odd or zero, or `fps` is zero.
    pub fn open(path: &Path, width: usize, height: usize, fps: u32) -> Result<Self, Y4mError> {
        assert!(fps > 0, "a camera needs a frame rate");
        let file = File::open(path).map_err(|source| Y4mError::Open {
            path: path.to_owned(),
            source,
        })?;
        let invalid = |source| Y4mError::Invalid {
            path: path.to_owned(),
            source,
        };
        let mut decoder = Decoder::new(BufReader::new(file)).map_err(invalid)?;
        let rate = check(path, &decoder)?;
        let frames = read_frames(path, &mut decoder, width, height)?;
        Ok(Y4mCamera {
            frames: frames.into(),
            speed: (rate.0, rate.1 * u64::from(fps)),
        })
    }

    /// How many pictures the file holds, at least one.
    pub fn pictures(&self) -> usize {
        self.frames.len()
    }

    /// The picture nearest in time to frame `n`; halfway, the later one.
    fn nearest(&self, n: u32) -> usize {
        let (num, den) = self.speed;
        let at = (2 * u128::from(n) * u128::from(num) + u128::from(den)) / (2 * u128::from(den));
        (at % self.frames.len() as u128) as usize
    }
}

impl Camera for Y4mCamera {
    fn frame(&mut self, n: u32) -> Arc<Frame> {
        Arc::clone(&self.frames[self.nearest(n)])
    }
}

/// The frame rate, as numerator and denominator, of a file that can be used.
fn check<R: Read>(path: &Path, decoder: &Decoder<R>) -> Result<(u64, u64), Y4mError> {
    match decoder.get_colorspace() {
        Colorspace::C420 | Colorspace::C420jpeg | Colorspace::C420paldv | Colorspace::C420mpeg2 => {
        }
        colorspace => {
            return Err(Y4mError::Colorspace {
                path: path.to_owned(),
                colorspace,
            });
        }
    }
    let rate = decoder.get_framerate();
    if rate.num == 0 || rate.den == 0 {
        return Err(Y4mError::FrameRate {
            path: path.to_owned(),
        });
    }
    Ok((rate.num as u64, rate.den as u64))
}

fn read_frames<R: Read>(
    path: &Path,
    decoder: &mut Decoder<R>,
    width: usize,
    height: usize,
) -> Result<Vec<Arc<Frame>>, Y4mError> {
    let size = (decoder.get_width(), decoder.get_height());
    let most = MAX_BYTES / (width * height * 3 / 2);
    let mut frames = Vec::new();
    loop {
        let picture = match decoder.read_frame() {
            Ok(picture) => picture,
            // A last picture that is cut off counts as the end, too.
            Err(::y4m::Error::EOF) => break,
            Err(source) => {
                return Err(Y4mError::Invalid {
                    path: path.to_owned(),
                    source,
                });
            }
        };
        if frames.len() == most {
            return Err(Y4mError::TooLong {
                path: path.to_owned(),
                frames: most,
            });
        }
        let planes = [
            picture.get_y_plane(),
            picture.get_u_plane(),
            picture.get_v_plane(),
        ];
        frames.push(Arc::new(resize_planes(planes, size, width, height)));
    }
    match frames.is_empty() {
        true => Err(Y4mError::Empty {
            path: path.to_owned(),
        }),
        false => Ok(frames),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use tempfile::NamedTempFile;

    use super::*;

    /// A file with `count` pictures, picture `i` all of luma `10 * i`.
    fn file(header: &str, luma: usize, chroma: usize, count: u8) -> NamedTempFile {
        let mut file = NamedTempFile::new().unwrap();
        writeln!(file, "YUV4MPEG2 {header}").unwrap();
        for i in 0..count {
            writeln!(file, "FRAME").unwrap();
            file.write_all(&vec![10 * i; luma]).unwrap();
            file.write_all(&vec![100; chroma]).unwrap();
        }
        file.flush().unwrap();
        file
    }

    fn open(file: &NamedTempFile, fps: u32) -> Result<Y4mCamera, Y4mError> {
        Y4mCamera::open(file.path(), 8, 4, fps)
    }

    fn shown(camera: &mut Y4mCamera, frames: u32) -> Vec<u8> {
        (0..frames).map(|n| camera.frame(n).y()[0] / 10).collect()
    }

    #[test]
    fn loops_at_its_end() {
        let file = file("W8 H4 F30:1 C420jpeg", 32, 16, 3);
        let mut camera = open(&file, 30).unwrap();
        assert_eq!(shown(&mut camera, 7), [0, 1, 2, 0, 1, 2, 0]);
        assert_eq!(camera.frame(1).planes()[1], [100; 8]);
    }

    #[test]
    fn shows_the_nearest_picture_in_time() {
        // 24 per second at 30: frame n shows round(0.8 n): 0, .8, 1.6, 2.4, 3.2, 4, 4.8.
        let slow = file("W8 H4 F24:1 C420", 32, 16, 9);
        assert_eq!(
            shown(&mut open(&slow, 30).unwrap(), 7),
            [0, 1, 2, 2, 3, 4, 5]
        );
        // 59.94 at 15: round(3.996 n).
        let fast = file("W8 H4 F60000:1001", 32, 16, 20);
        assert_eq!(shown(&mut open(&fast, 15).unwrap(), 4), [0, 4, 8, 12]);
    }

    #[test]
    fn scales_any_size_odd_ones_too() {
        // 5x3 has chroma planes of 3x2.
        let file = file("W5 H3 F30:1 C420mpeg2", 15, 12, 2);
        let mut camera = open(&file, 30).unwrap();
        let frame = camera.frame(1);
        assert_eq!((frame.width(), frame.height()), (8, 4));
        assert_eq!(frame.planes().map(|plane| plane[0]), [10, 100, 100]);
    }

    #[test]
    fn says_what_is_wrong() {
        let missing = Y4mCamera::open(Path::new("/nowhere.y4m"), 8, 4, 30).unwrap_err();
        assert!(
            missing
                .to_string()
                .contains("cannot open the camera file /nowhere.y4m")
        );
        let colour = open(&file("W8 H4 F30:1 C444", 32, 64, 1), 30).unwrap_err();
        assert!(matches!(colour, Y4mError::Colorspace { .. }), "{colour}");
        assert!(colour.to_string().contains("yuv420p"), "{colour}");
        let deep = open(&file("W8 H4 F30:1 C420p10", 64, 32, 1), 30).unwrap_err();
        assert!(matches!(deep, Y4mError::Colorspace { .. }), "{deep}");
        let empty = open(&file("W8 H4 F30:1 C420", 32, 16, 0), 30).unwrap_err();
        assert!(matches!(empty, Y4mError::Empty { .. }), "{empty}");
        let rate = open(&file("W8 H4 F0:1 C420", 32, 16, 1), 30).unwrap_err();
        assert!(
            matches!(rate, Y4mError::FrameRate { .. } | Y4mError::Invalid { .. }),
            "{rate}"
        );
        let mut garbage = NamedTempFile::new().unwrap();
        writeln!(garbage, "RIFF something else entirely").unwrap();
        let garbage = open(&garbage, 30).unwrap_err();
        assert!(matches!(garbage, Y4mError::Invalid { .. }), "{garbage}");
    }

    #[test]
    fn a_cut_off_picture_is_not_shown() {
        let file = file("W8 H4 F30:1 C420", 32, 16, 2);
        let whole = file.as_file().metadata().unwrap().len();
        file.as_file().set_len(whole - 5).unwrap();
        assert_eq!(open(&file, 30).unwrap().pictures(), 1);
    }
}
