package com.google.gson

import groovy.json.JsonSlurper

/** Reads JSON into maps, with Gson's habit of making every number a Double. */
class Gson {
    Object fromJson(String json, Class type) { doubles(new JsonSlurper().parseText(json)) }

    Object fromJson(Reader json, Class type) { doubles(new JsonSlurper().parse(json)) }

    private static Object doubles(Object value) {
        if (value instanceof Map) return value.collectEntries { k, v -> [k, doubles(v)] }
        if (value instanceof List) return value.collect { doubles(it) }
        value instanceof Number ? value.doubleValue() : value
    }
}
