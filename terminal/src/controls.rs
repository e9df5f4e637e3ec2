//! Which bytes ask for what. What is not here is for a terminal of glass only and shows nothing: titles, colours of the
//! palette, questions to the terminal, the mouse, graphics (DCS, APC, PM, SOS).

use vte::{Params, Perform};

use crate::screen::{EraseRange, Screen};
use crate::sgr;

impl Perform for Screen {
    fn print(&mut self, character: char) {
        match u8::try_from(u32::from(character)) {
            // The parser tells a control of two bytes as a character where a piece ended between them.
            Ok(byte @ 0x80..=0x9f) => self.execute(byte),
            Ok(0x7f) => {}
            _ => Screen::print(self, character),
        }
    }

    fn execute(&mut self, byte: u8) {
        match byte {
            0x08 => self.left(1),
            b'\t' => self.tab(),
            b'\n' | 0x0b | 0x0c | 0x85 => {
                self.line_feed();
                self.go_to_column(0);
            }
            b'\r' => self.go_to_column(0),
            0x0e => self.charsets().used = 1,
            0x0f => self.charsets().used = 0,
            0x84 => self.line_feed(),
            0x88 => self.set_stop(),
            0x8d => self.reverse_line_feed(),
            _ => {}
        }
    }

    fn csi_dispatch(&mut self, params: &Params, intermediates: &[u8], ignore: bool, action: char) {
        if ignore && action != 'm' {
            return;
        }
        match (intermediates, action) {
            ([], _) => self.csi(params, action),
            ([b'?'], 'h' | 'l') => {
                for mode in params.iter().filter_map(|param| param.first()) {
                    self.private_mode(*mode, action == 'h');
                }
            }
            ([b'?'], 'J') => self.erase_screen_part(number(params, 0, 0)),
            ([b'?'], 'K') => self.erase_line_part(number(params, 0, 0)),
            ([b'!'], 'p') => self.reset_pen(),
            _ => {}
        }
    }

    fn esc_dispatch(&mut self, intermediates: &[u8], _ignore: bool, byte: u8) {
        match (intermediates, byte) {
            ([], b'7') => self.save(),
            ([], b'8') => self.restore(),
            ([], b'D') => self.line_feed(),
            ([], b'E') => {
                self.line_feed();
                self.go_to_column(0);
            }
            ([], b'H') => self.set_stop(),
            ([], b'M') => self.reverse_line_feed(),
            ([], b'c') => self.reset(),
            ([b'('], set) => self.charsets().draws[0] = set == b'0',
            ([b')'], set) => self.charsets().draws[1] = set == b'0',
            _ => {}
        }
    }

    fn osc_dispatch(&mut self, params: &[&[u8]], _bell_terminated: bool) {
        if let [b"8", parts @ ..] = params {
            self.pen.link = self.links.begin(parts);
        }
    }
}

impl Screen {
    fn csi(&mut self, params: &Params, action: char) {
        let count = usize::from(number(params, 0, 1).max(1));
        match action {
            '@' => self.insert_blanks(count),
            'A' => self.up(count),
            'B' | 'e' => self.down(count),
            'C' | 'a' => self.right(count),
            'D' => self.left(count),
            'E' => {
                self.down(count);
                self.go_to_column(0);
            }
            'F' => {
                self.up(count);
                self.go_to_column(0);
            }
            'G' | '`' => self.go_to_column(count - 1),
            'H' | 'f' => {
                self.go_to_row(count - 1);
                self.go_to_column(usize::from(number(params, 1, 1).max(1)) - 1);
            }
            'I' => (0..count.min(128)).for_each(|_| self.tab()),
            'J' => self.erase_screen_part(number(params, 0, 0)),
            'K' => self.erase_line_part(number(params, 0, 0)),
            'L' => self.insert_lines(count),
            'M' => self.delete_lines(count),
            'P' => self.delete_characters(count),
            'S' => self.scroll_up(count),
            'T' => self.scroll_down(count),
            'X' => self.erase_characters(count),
            'Z' => (0..count.min(128)).for_each(|_| self.tab_back()),
            'b' => self.repeat(count),
            'd' => self.go_to_row(count - 1),
            'g' => match number(params, 0, 0) {
                0 => self.clear_stop(),
                3 => self.clear_stops(),
                _ => {}
            },
            'h' | 'l' if number(params, 0, 0) == 4 => self.set_inserts(action == 'h'),
            'm' => sgr::apply(&mut self.pen, params),
            's' => self.save(),
            'u' => self.restore(),
            _ => {}
        }
    }

    fn erase_line_part(&mut self, number: u16) {
        match number {
            0 => self.erase_line(EraseRange::Behind),
            1 => self.erase_line(EraseRange::Before),
            2 => self.erase_line(EraseRange::All),
            _ => {}
        }
    }

    fn erase_screen_part(&mut self, number: u16) {
        match number {
            0 => self.erase_screen(EraseRange::Behind),
            1 => self.erase_screen(EraseRange::Before),
            2 => self.erase_screen(EraseRange::All),
            3 => self.erase_history(),
            _ => {}
        }
    }

    fn private_mode(&mut self, mode: u16, is_set: bool) {
        match (mode, is_set) {
            (47 | 1047 | 1049, true) => self.enter_alternate(),
            (47 | 1047 | 1049, false) => self.leave_alternate(),
            (1048, true) => self.save(),
            (1048, false) => self.restore(),
            _ => {}
        }
    }
}

fn number(params: &Params, index: usize, default: u16) -> u16 {
    params.iter().nth(index).and_then(|param| param.first().copied()).unwrap_or(default)
}
