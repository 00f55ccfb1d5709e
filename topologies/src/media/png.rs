//! Pictures as PNG, for people to look at.

use super::frame::Frame;

/// The picture as an RGB PNG: BT.601, limited range (ITU-R BT.601-7 section 2.5), chroma repeated.
pub fn encode(frame: &Frame) -> Vec<u8> {
    let (width, height) = (frame.width(), frame.height());
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width as u32, height as u32);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let written = encoder
        .write_header()
        .and_then(|mut writer| writer.write_image_data(&rgb(frame)));
    written.expect("memory takes all, and the data has the size of the picture");
    bytes
}

fn rgb(frame: &Frame) -> Vec<u8> {
    let [luma, blue, red] = frame.planes();
    let (width, chroma_width) = (frame.width(), frame.width() / 2);
    let pixel = |(place, y): (usize, &u8)| {
        let (x, row) = (place % width, place / width);
        let chroma = row / 2 * chroma_width + x / 2;
        to_rgb(*y, blue[chroma], red[chroma])
    };
    luma.iter().enumerate().flat_map(pixel).collect()
}

fn to_rgb(y: u8, blue: u8, red: u8) -> [u8; 3] {
    let y = 255.0 / 219.0 * (f64::from(y) - 16.0);
    let [blue, red] = [blue, red].map(|chroma| 255.0 / 224.0 * (f64::from(chroma) - 128.0));
    let mixed = [
        y + 1.402 * red,
        y - 0.344_136 * blue - 0.714_136 * red,
        y + 1.772 * blue,
    ];
    mixed.map(|value| value.round().clamp(0.0, 255.0) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The corners of the colour cube in limited range (BT.601-7 table 3, and its formulas).
    #[test]
    fn known_colours() {
        for ([y, blue, red], rgb) in [
            ([16, 128, 128], [0, 0, 0]),
            ([235, 128, 128], [255, 255, 255]),
            ([126, 128, 128], [128, 128, 128]),
            ([81, 90, 240], [254, 0, 0]),
            ([145, 54, 34], [0, 255, 1]),
            ([41, 240, 110], [0, 0, 255]),
        ] {
            assert_eq!(to_rgb(y, blue, red), rgb);
        }
    }

    #[test]
    fn a_png_holds_the_picture() {
        let mut frame = Frame::new(4, 2);
        frame.y_mut()[5] = 235;
        let bytes = encode(&frame);
        let mut reader = png::Decoder::new(std::io::Cursor::new(bytes))
            .read_info()
            .unwrap();
        let mut data = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut data).unwrap();
        assert_eq!((info.width, info.height), (4, 2));
        // White at the second place of the second row, black elsewhere.
        let white: Vec<_> = (0..8).filter(|place| data[3 * place] == 255).collect();
        assert_eq!(white, [5]);
    }
}
