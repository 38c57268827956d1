//! `ftuseg rle`: Kaggle's run-length encoding, both ways.

use std::io::Read;
use std::path::PathBuf;

use anyhow::Context;

use crate::mask::{Rect, rle};
use crate::sink::read_mask;
use crate::slide;

/// The most text that is read from standard input: 1 GiB.
const MAX_TEXT: u64 = 1 << 30;

/// Arguments of `ftuseg rle`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    way: Way,
}

#[derive(Debug, clap::Subcommand)]
enum Way {
    /// Draw an RLE as a picture: 255 where it is set
    Decode {
        /// Width of the image, px
        #[arg(long, value_name = "W")]
        width: u32,
        /// Height of the image, px
        #[arg(long, value_name = "H")]
        height: u32,
        /// The PNG to write
        #[arg(long, value_name = "MASK.png")]
        out: PathBuf,
        /// The RLE, or - for standard input
        #[arg(value_name = "RLE", default_value = "-")]
        rle: String,
    },
    /// Print the RLE of a mask image: all px that are not black
    Encode {
        /// The mask: PNG, JPEG or TIFF
        #[arg(value_name = "MASK.png")]
        mask: PathBuf,
    },
}

/// Runs the command and returns its exit code.
pub(super) fn run(args: &Args) -> anyhow::Result<u8> {
    match &args.way {
        Way::Decode {
            width,
            height,
            out,
            rle,
        } => decode(*width, *height, out, rle)?,
        Way::Encode { mask } => {
            let image = slide::open(mask)?;
            say!("{}", rle::encode(&read_mask(image.as_ref())?));
        }
    }
    Ok(0)
}

fn decode(width: u32, height: u32, out: &std::path::Path, text: &str) -> anyhow::Result<()> {
    let text = if text == "-" {
        let mut text = String::new();
        std::io::stdin()
            .take(MAX_TEXT)
            .read_to_string(&mut text)
            .context("standard input cannot be read")?;
        text
    } else {
        text.to_owned()
    };
    let mask = rle::decode(&text, width, height).context("this is no RLE for such an image")?;
    let pixels = (width as usize)
        .checked_mul(height as usize)
        .filter(|&pixels| pixels <= 1 << 32)
        .context("the image would have more than 4 billion px")?;
    let mut grey = vec![0; pixels];
    let all = Rect {
        x: 0,
        y: 0,
        width,
        height,
    };
    mask.read_block(all, 0, 255, &mut grey, width as usize)?;
    let picture = image::GrayImage::from_raw(width, height, grey)
        .context("the image does not fit its size")?;
    picture
        .save_with_format(out, image::ImageFormat::Png)
        .with_context(|| format!("cannot write {}", out.display()))
}
