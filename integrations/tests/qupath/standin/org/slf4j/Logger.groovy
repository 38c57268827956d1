package org.slf4j

/** Prints what is logged. */
class Logger {
    void debug(String text) {}

    void info(String text, Object... values) { tell('INFO', text, values) }

    void warn(String text, Object... values) { tell('WARN', text, values) }

    void error(String text, Object... values) { tell('ERROR', text, values) }

    private static void tell(String level, String text, Object[] values) {
        values.each { text = text.replaceFirst(/\{}/, java.util.regex.Matcher.quoteReplacement(String.valueOf(it))) }
        println "${level} ${text}"
    }
}
