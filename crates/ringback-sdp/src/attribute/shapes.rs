//! What many attributes have in common, as macros: the trait, and those that are a property, a number or a text.

/// The trait for a type that has an inherent `read`.
macro_rules! attribute {
    ($type:ident <'a>, $name:literal, $section:literal) => {
        impl<'a> crate::attribute::Attribute<'a> for $type<'a> {
            const NAME: &'static str = $name;
            const SECTION: &'static str = $section;

            fn read(cursor: &mut crate::cursor::Cursor<'a>) -> Result<Self, crate::error::ParseError> {
                $type::read_value(cursor)
            }

            fn check(value: &str) -> Result<(), crate::error::ParseError> {
                crate::attribute::strict::<$type<'_>>(value)
            }
        }
    };
    ($type:ident, $name:literal, $section:literal) => {
        impl<'a> crate::attribute::Attribute<'a> for $type {
            const NAME: &'static str = $name;
            const SECTION: &'static str = $section;

            fn read(cursor: &mut crate::cursor::Cursor<'a>) -> Result<Self, crate::error::ParseError> {
                $type::read_value(cursor)
            }

            fn check(value: &str) -> Result<(), crate::error::ParseError> {
                crate::attribute::strict::<$type>(value)
            }
        }
    };
}

/// An attribute without a value.
macro_rules! property {
    ($(#[$docs:meta])* $type:ident, $name:literal, $section:literal) => {
        $(#[$docs])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct $type;

        impl $type {
            fn read_value(_: &mut crate::cursor::Cursor<'_>) -> Result<$type, crate::error::ParseError> {
                Ok($type)
            }
        }

        impl core::fmt::Display for $type {
            fn fmt(&self, _: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                Ok(())
            }
        }

        attribute!($type, $name, $section);
    };
}

/// An attribute that is a number.
macro_rules! number {
    ($(#[$docs:meta])* $type:ident($number:ty), $name:literal, $section:literal, $expected:literal) => {
        $(#[$docs])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub struct $type(pub $number);

        impl $type {
            fn read_value(cursor: &mut crate::cursor::Cursor<'_>) -> Result<$type, crate::error::ParseError> {
                Ok($type(cursor.number($expected)?))
            }
        }

        impl core::fmt::Display for $type {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                self.0.fmt(f)
            }
        }

        attribute!($type, $name, $section);
    };
}

/// An attribute that is one text: of characters of a class, at least one and at most so many bytes.
macro_rules! text {
    ($(#[$docs:meta])* $type:ident, $name:literal, $section:literal, $expected:literal, $bytes:expr, $class:expr) => {
        $(#[$docs])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub struct $type<'a>(pub &'a str);

        impl<'a> $type<'a> {
            fn read_value(cursor: &mut crate::cursor::Cursor<'a>) -> Result<$type<'a>, crate::error::ParseError> {
                let at = cursor.clone();
                let text = cursor.word($class, $expected)?;
                if $bytes.contains(&text.len()) { Ok($type(text)) } else { Err(at.error($expected)) }
            }
        }

        impl core::fmt::Display for $type<'_> {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(self.0)
            }
        }

        attribute!($type<'a>, $name, $section);
    };
}

/// A set of words, with a wildcard for those that have no name here.
macro_rules! words {
    ($(#[$docs:meta])* $type:ident { $($(#[$variant_docs:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$docs])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $type {
            $($(#[$variant_docs])* $variant,)+
        }

        impl $type {
            /// The word.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $($type::$variant => $word,)+
                }
            }

            /// From the word, in either case of its letters.
            #[must_use]
            pub fn from_word(word: &str) -> Option<$type> {
                $(if word.eq_ignore_ascii_case($word) {
                    return Some($type::$variant);
                })+
                None
            }
        }

        impl core::fmt::Display for $type {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}
